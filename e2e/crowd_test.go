//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestACrowdOfClients has 200 OpenSSH clients come in at once, many to a key. As many as the limits allow see the
// study, every other one is told why not, nobody waits for ever, and the server stays small and awake.
func TestACrowdOfClients(t *testing.T) {
	const clients, keys = 200, 12
	const connections, sessions = 64, 4 // the defaults
	dir := slowStudy(t, 12)
	good(t, ".", "run", dir, "--headless")
	people := []string{"operator"}
	for i := range keys {
		people = append(people, fmt.Sprintf("guest%d", i))
	}
	h := serve(t, dir, people...)
	operator := h.guest("operator")
	operator.sees("knee")

	crowd := make([]*guest, clients)
	for i := range crowd {
		crowd[i] = h.guest(people[1+i%keys], "-o", "ControlPath=none")
	}
	inside, ends := make([]bool, clients), make([]error, clients)
	var wg sync.WaitGroup
	late := time.NewTimer(2 * time.Minute)
	defer late.Stop()
	over := make(chan struct{})
	go func() { <-late.C; close(over) }()
	for i, g := range crowd {
		wg.Go(func() {
			for {
				if strings.Contains(g.screen(), "knee") {
					inside[i] = true
					return
				}
				select {
				case <-g.news:
				case ends[i] = <-g.end:
					return
				case <-over:
					t.Errorf("%s neither came in nor was told anything:\n%s", g.name, g.screen())
					return
				}
			}
		})
	}
	wg.Wait()

	in, full, many := 0, 0, 0
	for i, g := range crowd {
		switch text := g.said(); {
		case inside[i]:
			in++
		case ends[i] == nil:
			t.Errorf("%s ended well without having been inside: %q", g.name, text)
		case strings.Contains(text, "connections are taken; try again later"):
			full++
		case strings.Contains(text, fmt.Sprintf("this key has %d sessions open already", sessions)):
			many++
		default:
			t.Errorf("%s was not told why it may not come in: %q", g.name, text)
		}
	}
	t.Logf("%d came in, %d found no connection and %d no session free; the server takes at most %d MiB", in, full, many, peak(t, h.cmd.Process.Pid)>>20)
	if most := min(connections-1, keys*sessions); in < most/2 || in > most {
		t.Errorf("%d came in, want nearly %d", in, most)
	}
	if most := peak(t, h.cmd.Process.Pid); most > 512<<20 {
		t.Errorf("the server took %d MiB", most>>20)
	}

	// The operator has not been kept from working, and everybody leaves when they like.
	begin := time.Now()
	operator.types("?")
	operator.sees("Keys")
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("a key took %v to show", took)
	}
	for i, g := range crowd {
		if inside[i] {
			g.types("q")
		}
	}
	for i, g := range crowd {
		if inside[i] {
			if err := g.leaves(); err != nil {
				t.Errorf("%s left: %v", g.name, err)
			}
		}
	}
	h.guest("guest0").sees("knee")
}

// said is all that a client has put on its terminal.
func (g *guest) said() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.raw.String()
}

// leaves waits for the end of the client.
func (g *guest) leaves() error {
	g.t.Helper()
	select {
	case err := <-g.end:
		return err
	case <-time.After(30 * time.Second):
		g.t.Fatalf("%s's client does not end", g.name)
		return nil
	}
}

// peak is the most memory that a process has had, in bytes.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	need(t, err, "/proc")
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no VmHWM in %s", b)
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
