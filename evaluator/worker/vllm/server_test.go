//go:build linux || darwin

package vllm_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/worker"
)

// What only the base shows is seen at the tenth candidate, which fails and names those that may be wrong; noise that was
// measured at the start hurts nobody.
func TestLooksAtTheBase(t *testing.T) {
	b := serving(t, nil)
	b.faults("noise")
	for i := range 10 {
		b.good(folder(t, filepath.Join(b.dir, fmt.Sprint("c", i)), uint64(2+i), 0.1))
	}
	b.faults("noise expert")
	for i := range 9 {
		b.good(folder(t, filepath.Join(b.dir, fmt.Sprint("d", i)), uint64(20+i), 0.1))
	}
	b.fails(folder(t, filepath.Join(b.dir, "e"), 40, 0.1), "the figures of study/11, study/12, study/13")
	b.faults("")
	b.good(folder(t, filepath.Join(b.dir, "f"), 41, 0.1))
	// The end is too late for a candidate; the run says it.
	b.faults("expert")
	b.good(folder(t, filepath.Join(b.dir, "g"), 42, 0.1))
	if err := b.ev.Close(); err == nil || !strings.Contains(err.Error(), "at the end: the base, loaded again, answers otherwise") || !strings.Contains(err.Error(), "study/21, study/22 ") {
		t.Errorf("at the end it says %v, want what is wrong with the base, and who was measured since", err)
	}
}

// A server that dies is started again, and the question asked again; where that does not help, the candidate fails.
func TestTheServerDies(t *testing.T) {
	b := serving(t, func(o *worker.Options) { o.Env["FAKE_VLLM_START"] = "0.3" })
	c := folder(t, filepath.Join(b.dir, "c"), 2, 0.5)
	want := b.good(c)
	b.faults("crash")
	if found := b.good(c); found["a"] != want["a"] || found["b"] != want["b"] {
		t.Errorf("after the server died in the middle %v, want %v", found, want)
	}
	if n := b.count("started"); n != 2 {
		t.Errorf("%d servers were started, want 2", n)
	}
	b.faults("die")
	b.fails(c, "3 times in this candidate")
	b.faults("")
	b.good(c)
}

// So with its keeper, which takes the server with it.
func TestTheKeeperDies(t *testing.T) {
	b := serving(t, func(o *worker.Options) {
		put(t, filepath.Join(o.Dir, "evaluate.py"), `
import os, subprocess
keepers = []
class Popen(subprocess.Popen):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        keepers.append(self)
subprocess.Popen = Popen
`+strings.Replace(evaluate, "    out = {}\n", "    out = {}\n    if len(keepers) == 1:\n        keepers[0].kill()\n        keepers[0].wait()\n", 1))
	})
	b.good(folder(t, filepath.Join(b.dir, "c"), 2, 0.5))
	if n := b.count("started"); n != 2 {
		t.Errorf("%d servers were started, want 2", n)
	}
}

// Adapters are measured several at once by one server, each by a name that was never used.
func TestAdapters(t *testing.T) {
	b := serving(t, func(o *worker.Options) { o.Parallel, o.Form = 4, evaluator.Adapter })
	b.faults("noise")
	var list []evaluator.Candidate
	var alone []evaluator.Metrics
	for i := range 6 {
		list = append(list, b.candidate(adapter(t, filepath.Join(b.dir, fmt.Sprint("a", i)), uint64(2+i), 0.7, 9)))
	}
	together := b.measure(list...)
	b.faults("")
	different := false
	for i, e := range together {
		if e.Err != nil {
			t.Fatalf("adapter %d: %v", i, e.Err)
		}
		alone = append(alone, b.good(filepath.Join(b.dir, fmt.Sprint("a", i))))
		if e.Metrics["a"] != alone[i]["a"] || e.Metrics["b"] != alone[i]["b"] {
			t.Errorf("adapter %d: %v in company, %v alone", i, e.Metrics, alone[i])
		}
		different = different || alone[i]["a"] != alone[0]["a"]
	}
	if !different {
		t.Errorf("all adapters have the same figures: %v", alone)
	}
	if b.count("started") != 1 || b.count("/v1/load_lora_adapter") != 12 || b.count("/v1/unload_lora_adapter") != 12 || b.count("/collective_rpc") != 0 {
		t.Errorf("the server was asked %d times for adapters: want 1 server, 12 adapters loaded and taken out again, and no reload", b.count("/v1/load_lora_adapter"))
	}
	if started := b.asked()[0]; !strings.Contains(started, "--enable-lora --max-lora-rank 16 --max-loras 4") {
		t.Errorf("the server was started with %s, want room for rank 9", started)
	}
}

func TestAdapterFaults(t *testing.T) {
	b := serving(t, func(o *worker.Options) { o.Form = evaluator.Adapter })
	one := func(i int) string { return adapter(t, filepath.Join(b.dir, fmt.Sprint("a", i)), uint64(2+i), 0.7, 4) }
	b.faults("base-lora")
	b.fails(one(0), "with the weights of the base")
	b.faults("")
	b.good(one(1))
	b.faults("old-lora")
	b.fails(one(2), "with the weights of study/2")
	b.faults("")
	b.good(one(3))
	b.fails(adapter(t, filepath.Join(b.dir, "thick"), 9, 1, 600), "set max_rank: 512")
	whole := one(5)
	put(t, filepath.Join(whole, "adapter_config.json"), `{"peft_type": "LORA", "r": 4, "lora_alpha": 4, "modules_to_save": ["lm_head"]}`)
	b.fails(whole, "modules_to_save: lm_head")
}

// The server outlives a worker that is killed and the run, and is found by the next.
func TestIsFound(t *testing.T) {
	b := serving(t, func(o *worker.Options) { o.Command = append(o.Command, "--linger", "12") })
	c := folder(t, filepath.Join(b.dir, "c"), 2, 0.5)
	want := b.good(c)
	must(t, b.ev.Close())
	if again := b.good(c); again["a"] != want["a"] || b.count("started") != 1 {
		t.Errorf("the next run has %v from server number %d, want %v from the first", again, b.count("started"), want)
	}
}

// A server of the user's own is used, and not restarted.
func TestServerOfOnesOwn(t *testing.T) {
	b := serving(t, nil)
	py := interpreter(t)
	here, err := filepath.Abs("testdata/vllm.py")
	must(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := free.Addr().String()
	must(t, free.Close())
	own := exec.Command(py, here, "serve", filepath.Join(b.dir, "base"), "--served-model-name", "parfait", "--port", address[strings.LastIndex(address, ":")+1:])
	own.Env = append(os.Environ(), "FAKE_VLLM="+filepath.Join(b.dir, "faults"), "VLLM_SERVER_DEV_MODE=1")
	must(t, own.Start())
	defer func() { must(t, own.Process.Kill()); _ = own.Wait() }()
	for begun := false; !begun; {
		begun = exec.Command(py, "-c", "import urllib.request as u; u.urlopen('http://"+address+"/health')").Run() == nil
	}
	o := serving(t, func(o *worker.Options) {
		o.Command = append(o.Command, "--server", "http://"+address+"/v1")
	})
	o.good(folder(t, filepath.Join(o.dir, "c"), 2, 0.5))
	b.faults("nothing")
	o.fails(folder(t, filepath.Join(o.dir, "d"), 3, 0.5), "Restart the server")
	if b.count("started") != 1 {
		t.Errorf("%d servers were started, want the user's own", b.count("started"))
	}
}

func TestCannotStart(t *testing.T) {
	b := serving(t, func(o *worker.Options) {
		o.Command = append(o.Command[:3:3], "--linger", "0.1", "--vllm", "no-such-vllm serve")
	})
	b.fails(folder(t, filepath.Join(b.dir, "c"), 2, 0.5), "no-such-vllm cannot be started")
	e := serving(t, func(o *worker.Options) { o.Command[2] = "nowhere" })
	if last := e.one(e.dir); last.Err == nil || !strings.Contains(last.Err.Error(), "nowhere/config.json") {
		t.Errorf("without a base: %v", last.Err)
	}
}

// However faults come and go, what is recorded is right: every figure is that of a server which has loaded nothing else.
func TestNoWrongFigure(t *testing.T) {
	b := serving(t, nil)
	var truth []evaluator.Metrics
	var folders []string
	for i := range 5 {
		folders = append(folders, folder(t, filepath.Join(b.dir, fmt.Sprint("c", i)), uint64(2+i), 1))
		truth = append(truth, b.good(folders[i]))
	}
	measured, failed := 0, 0
	for i := range 16 {
		b.faults([]string{"", "nothing", "noise", "stale", "", "cache", "stale noise", "crash"}[i*5%8])
		n := i * 3 % 5
		e := b.one(folders[n])
		if e.State != evaluator.Done {
			failed++
			continue
		}
		measured++
		if e.Metrics["a"] != truth[n]["a"] || e.Metrics["b"] != truth[n]["b"] {
			t.Errorf("candidate %d is measured as %v, want %v\n%s", n, e.Metrics, truth[n], b.log())
		}
	}
	if measured < 5 || failed < 3 {
		t.Errorf("%d are measured and %d fail, want some of each", measured, failed)
	}
}
