// Command merge measures the merge engine against copying files, on checkpoints that it makes itself.
//
// usage: go run ./bench/merge [--mib 1024] [--json] [--dir DIR] [--repeat 5]
//
// Every figure is a ratio of two things that were timed in turns in one run, best of the repeats, so
// that it says something on a noisy machine too. Memory is the peak resident set of a process of its
// own. See README.md for what each figure means and what it should be.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	mib := flag.Int64("mib", 1024, "size of each checkpoint in MiB")
	asJSON := flag.Bool("json", false, "print one JSON object")
	dir := flag.String("dir", "", "where the checkpoints are made (default: the temporary folder)")
	repeat := flag.Int("repeat", 5, "runs of each, of which the best counts")
	child := flag.String("child", "", "")
	flag.Parse()
	if *child != "" {
		if err := runChild(*child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	report, err := measure(*mib, *dir, *repeat)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/merge:", err)
		os.Exit(1)
	}
	if *asJSON {
		out, _ := json.MarshalIndent(report, "", "  ")
		fmt.Println(string(out))
		return
	}
	report.print()
}

// Report is what is measured. Ratios are of times; bars are in README.md.
type Report struct {
	MiB     int64  `json:"mib"`
	Repeat  int    `json:"repeat"`
	Machine string `json:"machine"`
	Kernel  string `json:"kernel"`

	CatCp     float64 `json:"cat_cp_ratio"`
	Export    float64 `json:"export_ratio"`
	KernelOne float64 `json:"kernel_copy_ratio"`
	Outputs16 float64 `json:"outputs16_ratio"`
	Ties      float64 `json:"ties_ratio"`
	Dare      float64 `json:"dare_ratio"`
	Della     float64 `json:"della_ratio"`
	PeakRSS   float64 `json:"peak_rss_mib"`
	TiesRSS   float64 `json:"ties_rss_mib"`
	CrumbsRSS float64 `json:"breadcrumbs_rss_mib"`
	OneTensor float64 `json:"one_tensor_rss_mib"`
	Preflight float64 `json:"preflight_ms"`

	Seconds map[string]float64 `json:"seconds"`
}

func (r Report) print() {
	fmt.Printf("%d MiB a checkpoint, best of %d, %s, kernel %s\n\n", r.MiB, r.Repeat, r.Machine, r.Kernel)
	for _, row := range []struct {
		name  string
		value float64
		bar   string
	}{
		{"task_arithmetic of two models / cat and cp", r.CatCp, "1.25"},
		{"an export, on the disk and read back / cp, sync and cmp of its bytes", r.Export, "1.25"},
		{"kernel / copy of its input", r.KernelOne, "2"},
		{"16 outputs in one pass / 16 copies of the base", r.Outputs16, "1.3"},
		{"ties / task_arithmetic", r.Ties, "3"},
		{"dare_linear / task_arithmetic", r.Dare, "3"},
		{"della_linear / task_arithmetic", r.Della, "3"},
		{"peak memory, 8 models, MiB", r.PeakRSS, "64"},
		{"peak memory of ties, 8 models, MiB", r.TiesRSS, "256"},
		{"peak memory of breadcrumbs, 8 models, MiB", r.CrumbsRSS, "256"},
		{"peak memory of ties, one tensor of 2 GiB, MiB", r.OneTensor, "256"},
		{"preflight of 14 GB in 300 tensors, ms", r.Preflight, "100"},
	} {
		fmt.Printf("%-66s %8.2f   bar %s\n", row.name, row.value, row.bar)
	}
}

func machine() string {
	return fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
}
