// SPDX-License-Identifier: MIT

// go_server is the graceful restart that tutorials of Go's net/http teach: on SIGUSR2 the program
// starts itself again with the listener as descriptor 3, both serve for a moment, and the parent
// ends with Shutdown.
package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const (
	inherited       = "GO_SERVER_INHERITED"
	pidFile         = "/run/go_server.pid"
	shutdownTimeout = 20 * time.Second
)

func listen() (net.Listener, error) {
	if os.Getenv(inherited) != "" {
		return net.FileListener(os.NewFile(3, "listener"))
	}
	return net.Listen("tcp", ":9999")
}

// writePID renames, so that systemd never reads half a file.
func writePID(pid int) error {
	next := pidFile + ".new"
	if err := os.WriteFile(next, []byte(strconv.Itoa(pid)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(next, pidFile)
}

func startSuccessor(listener net.Listener) error {
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer file.Close()
	successor := exec.Command(os.Args[0], os.Args[1:]...)
	successor.Env = append(os.Environ(), inherited+"=1")
	successor.ExtraFiles = []*os.File{file}
	successor.Stdout, successor.Stderr = os.Stdout, os.Stderr
	if err := successor.Start(); err != nil {
		return err
	}
	// Before this process ends: systemd then looks who comes next.
	return writePID(successor.Process.Pid)
}

var ownPID = strconv.Itoa(os.Getpid())

// hello gives the same answer as handoverd, header lines included.
func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Handover-Generation", "1")
	w.Header().Set("Handover-Pid", ownPID)
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "hello world\n")
}

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2, syscall.SIGTERM)
	listener, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/hello", hello)
	server := &http.Server{}
	go server.Serve(listener)

	for received := range signals {
		if received == syscall.SIGTERM {
			break
		}
		if err := startSuccessor(listener); err == nil {
			break
		} else {
			log.Print(err)
		}
	}
	deadline, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	server.Shutdown(deadline)
}
