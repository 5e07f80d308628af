// The same things in Go, on one thread, as hubbub-bench measures them in a hub: prints nanoseconds.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

const passes = 500000

// One rendezvous of an unbuffered channel.
func channel() {
	items := make(chan int)
	done := make(chan bool)
	go func() {
		for range items {
		}
		done <- true
	}()
	for i := 0; i < passes; i++ {
		items <- i
	}
	close(items)
	<-done
}

// Spawn, run, finish; the spawner yields.
func spawn() {
	for i := 0; i < passes; i++ {
		go func() {}()
		runtime.Gosched()
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	measured := map[string]func(){"channel": channel, "spawn": spawn}[os.Args[1]]
	began := time.Now()
	measured()
	fmt.Println(float64(time.Since(began).Nanoseconds()) / passes)
}
