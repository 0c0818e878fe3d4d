package cli

import (
	"github.com/spf13/cobra"

	"parfait/evaluator/worker/python"
	"parfait/evaluator/worker/vllm"
)

func (a *app) workerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Print a worker to begin with, which keeps the models loaded",
		Long:  "Print a worker, a program that stays and measures one candidate after another, as one file that is yours to keep. docs/evaluators.md says how workers are asked.",
		Args:  arguments(0, 0, "python or vllm"),
		RunE: func(*cobra.Command, []string) error {
			return usage("`parfait worker python --help` and `parfait worker vllm --help` have examples", "expected python or vllm")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "python",
		Short: "Print a worker in Python that merges in memory, without a folder for each candidate",
		Long: "Print worker.py: it maps the base and the models once, merges every candidate in memory by the recipe that it is asked with (task_arithmetic and linear, with groups, skip, dtype and LoRA adapters; other methods are for `model: true`), and calls what you write, which measures. It needs numpy, or torch with numpy, and nothing else. evaluate.py, beside it, is yours:\n\n" +
			"    import worker\n\n    def evaluate(model, tasks, split, items=None):\n        return {task: score(model, task, split) for task in tasks}\n\n    worker.serve(evaluate)  # or with device=\"cuda\"\n\n" +
			"and in study.yaml `main: {worker: [python, evaluate.py], model: false}`. With numpy the merge is that of `parfait merge` to the bit.",
		Example: "parfait worker python > worker.py\n\n# does it merge as parfait does?\nparfait merge recipe.yaml MERGED\npython worker.py --selftest recipe.yaml OUT MERGED",
		Args:    arguments(0, 0, "no argument"),
		RunE:    a.printWorker("python", python.Source),
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "vllm",
		Short: "Print a worker in Python that keeps a vLLM server, into which each candidate is loaded",
		Long: "Print worker.py: it starts one vLLM server for each of `devices`, has it load every candidate (a folder by reload_weights, LoRA adapters by load_lora_adapter, several at once), makes sure by log-probabilities of fixed tokens that it is the candidate which answers, and runs lm-eval's local-completions against it, or what you write in evaluate.py beside it:\n\n" +
			"    import worker\n\n    def evaluate(url, model_name, tasks, split, items=None):\n        return {task: score(url, model_name, task, split) for task in tasks}\n\n    worker.serve(evaluate)\n\n" +
			"and in study.yaml `main: {worker: [python, worker.py, models/base], devices: [0, 1]}`, or evaluate.py in its place. It needs vLLM and, without evaluate.py, lm-eval.",
		Example: "parfait worker vllm > worker.py\npython worker.py --help",
		Args:    arguments(0, 0, "no argument"),
		RunE:    a.printWorker("python", vllm.Source),
	})
	return cmd
}

// printWorker prints a worker's source.
func (a *app) printWorker(language string, source []byte) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error {
		if a.json {
			return a.printJSON(a.out, workerJSON{language, string(source)})
		}
		_, err := a.out.Write(source)
		return err
	}
}

type workerJSON struct {
	Language string `json:"language"`
	Source   string `json:"source"`
}
