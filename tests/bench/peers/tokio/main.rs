// A peer: tokio, a task per connection, on one thread; with a number, on that many.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn serve(mut stream: TcpStream) {
    let mut buffer = vec![0u8; 16384];

    loop {
        let length = match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => length,
            _ => return,
        };
        buffer[..length].make_ascii_uppercase();
        if stream.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

fn main() {
    let runtime = match std::env::args().nth(1) {
        Some(threads) => tokio::runtime::Builder::new_multi_thread().worker_threads(threads.parse().unwrap()).enable_io().build(),
        None => tokio::runtime::Builder::new_current_thread().enable_io().build(),
    }
    .unwrap();
    let serving = async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();

        eprintln!("ready: {}", listener.local_addr().unwrap());
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream));
            }
        }
    };

    // What is spawned is a thread's of the runtime, as the other tasks are.
    runtime.block_on(async { tokio::spawn(serving).await.unwrap() });
}
