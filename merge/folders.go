package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// architecture is what config.json says of a model's kind.
type architecture struct {
	Architectures []string `json:"architectures"`
	ModelType     string   `json:"model_type"`
}

func (a architecture) String() string {
	if len(a.Architectures) > 0 {
		return strings.Join(a.Architectures, ", ")
	}
	return a.ModelType
}

// compareFolders warns where models are of another architecture, or have another tokenizer.
func (p *Plan) compareFolders(found *problems) {
	first := p.layoutInput()
	if first.dir == "" {
		return
	}
	want := readArchitecture(first.dir, found)
	tokens := fileSum(filepath.Join(first.dir, "tokenizer.json"))
	for _, m := range p.models {
		if m == first || m.dir == "" {
			continue
		}
		if m.adapter == nil {
			got := readArchitecture(m.dir, found)
			if got.String() != want.String() && got.String() != "" && want.String() != "" {
				found.warn(CodeArchitecture, m.name, "its config.json says "+got.String(), want.String()+" as in "+first.name, "check that it was fine-tuned from this base")
			}
		}
		if sum := fileSum(filepath.Join(m.dir, "tokenizer.json")); sum != "" && tokens != "" && sum != tokens {
			found.warn(CodeTokenizer, m.name, "its tokenizer.json differs from that of "+first.name, "one tokenizer", "the output gets that of "+first.name+"; tokens that only the model knows are lost")
		}
	}
}

// readArchitecture reads a folder's config.json, if there is one.
func readArchitecture(dir string, found *problems) architecture {
	var a architecture
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a
	}
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		found.warn(CodeArchitecture, path, fmt.Sprintf("it cannot be read: %v", err), "JSON", "it is copied as it is if it is the base's")
	}
	return a
}

// fileSum is a file's digest, "" where it cannot be read.
func fileSum(path string) string {
	sum, err := plainDigest(path)
	if err != nil {
		return ""
	}
	return sum
}
