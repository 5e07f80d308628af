// A peer: Go, a goroutine per connection, on one processor (GOMAXPROCS says otherwise). PEER_TLS names a file with certificate
// and key.
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime"
)

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 16384)
	for {
		length, err := connection.Read(buffer)
		if err != nil {
			return
		}
		for i, c := range buffer[:length] {
			if c >= 'a' && c <= 'z' {
				buffer[i] = c - ('a' - 'A')
			}
		}
		if _, err = connection.Write(buffer[:length]); err != nil {
			return
		}
	}
}

func main() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if pem := os.Getenv("PEER_TLS"); pem != "" {
		certificate, err := tls.LoadX509KeyPair(pem, pem)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}
	fmt.Fprintf(os.Stderr, "ready: %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err == nil {
			go serve(connection)
		}
	}
}
