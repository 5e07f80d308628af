// A peer: lines by bufio, a goroutine per connection, on one processor. It flushes when no more lines have come.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
)

func serve(connection net.Conn) {
	defer connection.Close()
	reader, writer := bufio.NewReader(connection), bufio.NewWriter(connection)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		for i, c := range line {
			if c >= 'a' && c <= 'z' {
				line[i] = c - ('a' - 'A')
			}
		}
		writer.Write(line)
		if reader.Buffered() == 0 && writer.Flush() != nil {
			return
		}
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "ready: %s\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err == nil {
			go serve(connection)
		}
	}
}
