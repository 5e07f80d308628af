// A peer: node, with its own streams; with a number, a cluster of that many. PEER_TLS names a file with certificate and key.
const cluster = require('cluster');
const fs = require('fs');
const net = require('net');
const tls = require('tls');

const pem = process.env.PEER_TLS && fs.readFileSync(process.env.PEER_TLS);
const workers = Number(process.argv[2] || 1);

function serve(socket) {
  socket.on('data', (data) => {
    for (let i = 0; i < data.length; i++) {
      if (data[i] >= 97 && data[i] <= 122) data[i] -= 32;
    }
    socket.write(data);
  });
  socket.on('error', () => socket.destroy());
}

if (workers > 1 && cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (worker, address) => {
    listening += 1;
    if (listening === workers) process.stderr.write(`ready: 127.0.0.1:${address.port}\n`);
  });
  for (let i = 0; i < workers; i++) cluster.fork();
} else {
  const options = { noDelay: true, key: pem, cert: pem };
  const server = pem ? tls.createServer(options, serve) : net.createServer(options, serve);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    if (cluster.isPrimary) process.stderr.write(`ready: 127.0.0.1:${server.address().port}\n`);
  });
}
