// Package rescue keeps a panic from ending the program before it has said what is safe and how to go on.
//
// A goroutine that nobody waits for is started with [Go] or in a [Group]: what panics there ends the program in
// the way that [Install] says. Who can answer for a panic instead (a job whose result somebody waits for) recovers
// it into an error with [Recovered]. Fatal errors of Go itself (two writers of one map, no memory, a deadlock of all) cannot be
// recovered by anybody: the process ends as if it had been killed.
//
// The package is a leaf that knows nothing of terminals, studies or files.
package rescue

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
)

// Panic is a panic as an error: a fault of the program.
type Panic struct {
	Value any
	Stack []byte
	File  string // where the stack was written; "" where nobody keeps any
}

// Error implements error, on one line.
func (p *Panic) Error() string {
	where := ""
	if p.File != "" {
		where = "; its stack is in " + p.File
	}
	return fmt.Sprintf("%s (this is a fault of the program%s)", strings.Join(strings.Fields(fmt.Sprint(p.Value)), " "), where)
}

// Unwrap returns the error that was panicked with, if it was one.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// keeper is what a program does about panics.
type keeper struct {
	keep func(*Panic) (file string)
	end  func(*Panic)
}

var installed atomic.Pointer[keeper]

// Install says where a program keeps the stacks of panics, and how it ends after one in a goroutine that nobody
// waits for; end is called in that goroutine. Restore puts back what was installed before. Without any, such a panic
// ends the process as Go has it.
func Install(keep func(*Panic) (file string), end func(*Panic)) (restore func()) {
	before := installed.Swap(&keeper{keep, end})
	return func() { installed.Store(before) }
}

// Recovered is what recover returned, as an error; nil for nil. It is called by the deferred function itself, so
// that the stack is that of the panic:
//
//	defer func() {
//		if p := rescue.Recovered(recover()); p != nil {
//			err = p
//		}
//	}()
//
// A panic that was recovered before, in another goroutine, stays that one.
func Recovered(value any) *Panic {
	if value == nil {
		return nil
	}
	if err, ok := value.(error); ok {
		if p := (*Panic)(nil); errors.As(err, &p) {
			return p
		}
	}
	p := &Panic{Value: value, Stack: debug.Stack()}
	if k := installed.Load(); k != nil {
		p.File = k.keep(p)
	}
	return p
}

// Call calls f. A panic of it becomes an error.
func Call(f func() error) (err error) {
	defer func() {
		if p := Recovered(recover()); p != nil {
			err = p
		}
	}()
	return f()
}

// Go calls f in a goroutine of its own.
func Go(f func()) { go guarded(f) }

// Guard returns f for who calls it in a goroutine of its own, such as context.AfterFunc.
func Guard(f func()) func() { return func() { guarded(f) } }

// Group is a number of goroutines that somebody waits for; what panics in one ends the program all the same. The
// zero Group is ready.
type Group struct{ all sync.WaitGroup }

// Go calls f in a goroutine of the group.
func (g *Group) Go(f func()) { g.all.Go(func() { guarded(f) }) }

// Wait waits for all.
func (g *Group) Wait() { g.all.Wait() }

func guarded(f func()) {
	defer func() {
		k := installed.Load()
		if k == nil {
			return // as Go has it
		}
		if p := Recovered(recover()); p != nil {
			k.end(p)
		}
	}()
	f()
}
