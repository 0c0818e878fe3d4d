//go:build e2e

package e2e

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// damages of a study that a repair undoes without a loss: of the database, of the journal, and of the two at once in
// different places.
func (p *precious) damages() map[string][2][]byte {
	db, journal := p.files["study.db"], p.files["history.jsonl"]
	zeroed, bit := bytes.Clone(db), bytes.Clone(journal)
	page := p.pages()["trials"][0]
	clear(zeroed[pageSize*page : pageSize*(page+1)])
	bit[len(bit)/2] ^= 4
	return map[string][2][]byte{
		"no database":       {nil, journal},
		"a zeroed page":     {zeroed, journal},
		"a bit in the line": {db, bit},
	}
}

// TestKilledRepairs kills repairs, at random moments and at every call that changes what the folder holds. What is left
// is as good as what was there before: the next repair brings every answer back.
func TestKilledRepairs(t *testing.T) {
	p := newPrecious(t)
	damages := p.damages()
	order := slices.Sorted(maps.Keys(damages))
	t.Run("at random moments", func(t *testing.T) {
		p := &precious{t, p.dir, p.files, p.answers}
		random := rand.New(rand.NewPCG(5, 5))
		p.put(damages["no database"][0], damages["no database"][1])
		start := time.Now()
		p.repairs("calm")
		took := time.Since(start)
		hits := 0
		for i := 0; hits < scale(3, 60); i++ {
			of := order[i%len(order)]
			p.put(damages[of][0], damages[of][1])
			cmd := exec.Command(program, "repair", p.dir)
			need(t, cmd.Start(), "the program")
			kill := time.AfterFunc(time.Duration(random.Float64()*1.2*float64(took)), func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			kill.Stop()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				hits++
			}
			p.repaired(of)
		}
		t.Logf("%d kills have hit a repair", hits)
	})
	t.Run("at each call", func(t *testing.T) {
		needStrace(t)
		p := &precious{t, p.dir, p.files, p.answers}
		hits, at := 0, map[string]int{}
		for _, of := range order[:scale(1, len(order))] {
			for _, kinds := range []string{"unlink,unlinkat", "rename,renameat,renameat2", "link,linkat", "fsync,fdatasync", "ftruncate"} {
				for n := 1; n < 40; n++ {
					p.put(damages[of][0], damages[of][1])
					r, trace := under(t, []injection{{kinds: kinds, what: "signal=SIGKILL:when=" + strconv.Itoa(n)}}, time.Minute, "repair", p.dir)
					if r.code != 128+int(syscall.SIGKILL) {
						if r.code != 0 {
							t.Errorf("%s, %s %d: it ends with %d:\n%s", of, kinds, n, r.code, r.errors)
						}
						break
					}
					hits++
					at[lastCall(trace)]++
					p.repaired(of + ", killed at " + lastCall(trace))
					if !long() {
						break
					}
				}
			}
		}
		t.Logf("%d kills have hit a repair: %v", hits, at)
		if hits == 0 {
			t.Error("no kill has hit a repair")
		}
	})
}
