package main

// plainScript reads every weight of a model once, which is the least that an evaluation can do.
const plainScript = `import json, os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__))))
import numpy as np
import worker

def evaluate(model, tasks, split, items=None):
    total = sum(float(np.abs(x).sum(dtype=np.float64)) for _, x in model.items())
    return {task: total / len(task) / 1e6 for task in tasks}

if len(sys.argv) > 1:
    model = worker.Merge(worker.Folder(sys.argv[1]))
    with open(sys.argv[2], "w") as f:
        json.dump(evaluate(model, sys.argv[3].split(","), "validation"), f)
else:
    worker.serve(evaluate)
`

// lmScript evaluates with lm-eval, and loads a folder as lm-eval does.
const lmScript = `import json, os, sys
HOME = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HOME)
os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = os.path.join(HOME, "hf")
import lm_eval, torch, transformers
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
import worker

BASE = os.path.join(HOME, "models", "base")
manager = TaskManager(include_path=os.path.join(HOME, "tasks"), include_defaults=False)

def harness(folder):
    net = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    return net, HFLM(net, tokenizer=transformers.AutoTokenizer.from_pretrained(BASE), batch_size=8, device="cpu")

def measured(lm, tasks):
    found = lm_eval.simple_evaluate(lm, tasks=tasks, task_manager=manager, bootstrap_iters=0)
    return {t: {"value": found["results"][t]["acc,none"], "n": found["n-samples"][t]["effective"]} for t in tasks}

if len(sys.argv) > 1:
    _, lm = harness(sys.argv[1])
    with open(sys.argv[2], "w") as f:
        json.dump(measured(lm, sys.argv[3].split(",")), f)
else:
    net, lm = harness(BASE)

    def evaluate(model, tasks, split, items=None):
        model.load_into(net)
        return measured(lm, tasks)

    worker.serve(evaluate)
`

// prepareLM makes a tokenizer and two tasks of 20 questions.
const prepareLM = `import json, os, sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

home = sys.argv[1]
words = {w: i for i, w in enumerate(["<unk>", "<s>", "</s>", "Question", "yes", "no", ":"] + ["%s%d" % (c, i) for c in "ab" for i in range(20)])}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>").save_pretrained(os.path.join(home, "models", "base"))
os.makedirs(os.path.join(home, "tasks"))
for task, letter in (("one", "a"), ("two", "b")):
    data = os.path.join(home, "tasks", task + ".jsonl")
    with open(data, "w") as f:
        for i in range(20):
            f.write(json.dumps({"q": "Question %s%d :" % (letter, i), "choices": ["yes", "no"], "label": i % 2}) + "\n")
    with open(os.path.join(home, "tasks", task + ".yaml"), "w") as f:
        f.write("task: %s\ndataset_path: json\ndataset_kwargs: {data_files: {test: %s}}\ntest_split: test\noutput_type: multiple_choice\n"
                "doc_to_text: '{{q}}'\ndoc_to_choice: '{{choices}}'\ndoc_to_target: label\nmetric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]\nmetadata: {version: 1}\n" % (task, data))
`
