package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// cutter runs a program and, once it has read a line, counts the system calls by which all threads of the program together change
// files or answer clients, and kills it before one of them. strace can kill too, but counts the calls of each thread by itself, and a
// goroutine changes threads: no two runs would be cut at the same step.
//
//	cutter N PROGRAM ARG...   kills before call N, 0 never
//
// It says "ready" once it counts, and in the end how many calls there were before the kill and which one it was, as a line
// "CALLS NAME FILE", of which NAME is "none" if the program ended otherwise. It passes SIGTERM on.
func cutter() {
	runtime.LockOSThread() // whoever traces is a thread
	if err := cut(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "cutter:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func cut(nth string, command []string) error {
	n, err := strconv.Atoi(nth)
	if err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() {
		for range end {
			_ = syscall.Kill(cmd.Process.Pid, syscall.SIGTERM)
		}
	}()
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("wait for the word to begin: %w", err)
	}
	calls, last, err := countCalls(cmd.Process.Pid, n)
	fmt.Println(calls, last)
	return err
}

// What package syscall does not name.
const (
	ptraceSeize       = 0x4206
	ptraceInterrupt   = 0x4207
	ptraceListen      = 0x4208
	ptraceSyscallInfo = 0x420e
	optionSysgood     = 0x1
	optionClone       = 0x8
	optionExitKill    = 0x100000
	eventStop         = 128
	waitAll           = 0x40000000 // threads too
)

// countCalls traces the process until it ends.
func countCalls(pid, killAt int) (calls int, last string, err error) {
	if err := seize(pid); err != nil {
		return 0, "", err
	}
	fmt.Println("ready")
	last = "none"
	for {
		var status syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &status, waitAll, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return calls, last, fmt.Errorf("wait: %w", err)
		case !status.Stopped():
			if tid == pid { // after all its threads
				return calls, last, nil
			}
			continue
		}
		pass := 0
		request := syscall.PTRACE_SYSCALL
		switch stop := status.StopSignal(); {
		case stop == syscall.SIGTRAP|0x80:
			if what, changes := entered(tid); changes {
				if calls++; calls == killAt {
					calls, last = calls-1, what
					if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
						return calls, last, err
					}
					killAt = 0
					continue
				}
			}
		case uint32(status)>>16 == eventStop && (stop == syscall.SIGSTOP || stop == syscall.SIGTSTP):
			request = ptraceListen
		case uint32(status)>>16 == 0:
			pass = int(stop)
		}
		if err := ptrace(request, tid, 0, uintptr(pass)); err != nil && !errors.Is(err, syscall.ESRCH) { // it is dead already
			return calls, last, fmt.Errorf("go on with thread %d: %w", tid, err)
		}
	}
}

// seize begins to trace every thread of the process. New ones are traced by themselves.
func seize(pid int) error {
	seized := map[string]bool{}
	for more := true; more; {
		more = false
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		for _, thread := range threads {
			if seized[thread.Name()] {
				continue
			}
			more, seized[thread.Name()] = true, true
			tid, err := strconv.Atoi(thread.Name())
			if err != nil {
				return err
			}
			switch err := ptrace(ptraceSeize, tid, 0, optionSysgood|optionClone|optionExitKill); {
			case errors.Is(err, syscall.ESRCH), errors.Is(err, syscall.EPERM) && len(seized) > 1: // gone, or seized with the one that made it
				continue
			case err != nil:
				return fmt.Errorf("trace process %d: %w", pid, err)
			}
			if err := ptrace(ptraceInterrupt, tid, 0, 0); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop thread %d: %w", tid, err)
			}
		}
	}
	return nil
}

func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// entered returns which call the thread is about to make, if that changes a file or answers a client.
func entered(tid int) (what string, changes bool) {
	var info struct { // struct ptrace_syscall_info of linux/ptrace.h
		op      uint8
		_       [3]uint8
		arch    uint32
		ip, sp  uint64
		number  uint64
		args    [6]uint64
		retdata uint64
	}
	const entry = 1
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, ptraceSyscallInfo, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || info.op != entry {
		return "", false
	}
	if name := namesOf(info.number); name != "" {
		return name + " ?", true
	}
	name := writesOf(info.number)
	if name == "" {
		return "", false
	}
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(info.args[0])))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return name + " ?", true
	}
	file, _, _ = strings.Cut(file, ":[") // of a socket
	ours := file == "socket" || strings.HasPrefix(file, "/") && !slices.ContainsFunc([]string{"/dev/", "/proc/"}, func(dir string) bool { return strings.HasPrefix(file, dir) })
	return name + " " + file, ours
}

// writesOf names the calls that change what a descriptor stands for.
func writesOf(number uint64) string {
	return map[uint64]string{
		syscall.SYS_WRITE: "write", syscall.SYS_WRITEV: "writev", syscall.SYS_PWRITE64: "pwrite64", syscall.SYS_PWRITEV: "pwritev",
		syscall.SYS_FSYNC: "fsync", syscall.SYS_FDATASYNC: "fdatasync", syscall.SYS_FTRUNCATE: "ftruncate", syscall.SYS_FALLOCATE: "fallocate",
	}[number]
}

// namesOf names the calls that give and take the names of files.
func namesOf(number uint64) string {
	names := map[uint64]string{
		syscall.SYS_RENAMEAT: "renameat", syscall.SYS_UNLINKAT: "unlinkat", syscall.SYS_LINKAT: "linkat", syscall.SYS_MKDIRAT: "mkdirat",
	}
	if runtime.GOARCH == "amd64" { // newer architectures have only those that begin at a directory
		maps.Copy(names, map[uint64]string{82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 316: "renameat2"})
	} else {
		names[276] = "renameat2"
	}
	return names[number]
}
