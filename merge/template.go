package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge/codes"
)

// templateAuto takes the chat template that most models have.
const templateAuto = "auto"

// templates are chat formats by the name that they are known under: what stands before and after a message, by role.
var templates = map[string]string{
	"chatml": "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
		"{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
	"llama3": "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>{% endfor %}" +
		"{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
	"mistral": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] | trim }} [/INST]" +
		"{% elif message['role'] == 'system' %}{{ raise_exception('this format has no system message') }}" +
		"{% else %} {{ message['content'] | trim }}{{ eos_token }}{% endif %}{% endfor %}",
	"alpaca": "{% for message in messages %}{% if message['role'] == 'user' %}### Instruction:\n{{ message['content'] | trim }}\n\n" +
		"{% elif message['role'] == 'assistant' %}### Response:\n{{ message['content'] | trim }}\n\n" +
		"{% else %}{{ message['content'] | trim }}\n\n{% endif %}{% endfor %}{% if add_generation_prompt %}### Response:\n{% endif %}",
}

// isTemplateFile says whether a chat_template is the path of a file.
func isTemplateFile(name string) bool {
	return strings.HasSuffix(name, ".jinja") && !strings.Contains(name, "{")
}

// findTemplate is the chat template that was asked for, "" where the layout's stays.
func (p *Plan) findTemplate() (string, error) {
	switch name := p.r.spec.ChatTemplate; {
	case name == "":
		return "", nil
	case templates[name] != "":
		return templates[name], nil
	case strings.Contains(name, "{{") || strings.Contains(name, "{%"): // it is one
		return name, nil
	case name == templateAuto:
		return p.commonTemplate()
	default:
		data, err := readSidecar(name)
		if err != nil {
			return "", Problem{Code: codes.NotFound, Where: "chat_template", What: fmt.Sprintf("%q is no file that can be read", name), Expected: "one of " + strings.Join(sortedKeys(templates), ", ") + ", auto, or the path of a template", Err: err}
		}
		return string(data), nil
	}
}

// commonTemplate is the template that most models have, the first one's where several have as many.
func (p *Plan) commonTemplate() (string, error) {
	count := map[string]int{}
	best := ""
	for _, in := range p.models {
		text, err := in.chatTemplate()
		if err != nil {
			return "", err
		}
		if count[text]++; text != "" && (best == "" || count[text] > count[best]) {
			best = text
		}
	}
	return best, nil
}

// chatTemplate is the input's own, "" where it has none.
func (in *input) chatTemplate() (string, error) {
	if in.dir == "" {
		return "", nil
	}
	data, err := readSidecar(filepath.Join(in.dir, templateFile))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(data), err
	}
	if data, err = readSidecar(filepath.Join(in.dir, tokenizerConfigFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return "", err
	}
	var config struct {
		Template any `json:"chat_template"`
	}
	_ = json.Unmarshal(plainJSON(data), &config) // what is no configuration has no template
	text, single := config.Template.(string)
	if several, ok := config.Template.([]any); ok && !single {
		for _, one := range several { // with names, of which one is the default
			if named, _ := one.(map[string]any); named["name"] == "default" {
				text, _ = named["template"].(string)
			}
		}
	}
	return text, nil
}

const tokenizerConfigFile = "tokenizer_config.json"

// withTemplate puts the chat template where programs look for it.
func (p *Plan) withTemplate(list []sidecar) ([]sidecar, error) {
	text := p.template
	if text == "" {
		return list, nil
	}
	list = slices.DeleteFunc(list, func(f sidecar) bool { return f.name == templateFile })
	for i, f := range list {
		if f.name != tokenizerConfigFile {
			continue
		}
		data := f.data
		if f.from != "" {
			var err error
			if data, err = os.ReadFile(f.from); err != nil {
				return nil, sidecarProblem(f.from, err)
			}
		}
		if e, ok := findEntry(data, "chat_template"); ok && e.found {
			quoted, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			list[i] = sidecar{name: f.name, data: setEntry(data, string(quoted), "chat_template")}
		}
	}
	return append(list, sidecar{name: templateFile, data: []byte(text)}), nil
}
