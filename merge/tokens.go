package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"parfait/merge/codes"
	"parfait/merge/kernel"
	"parfait/merge/safetensors"
)

// Where a spec names a tokenizer, rows of embeddings and heads are merged by their token and not by their number: each
// input's rows are read in the order of the output's tokens. A token that an input lacks has the row of the base, or
// else the mean of those of the models that have it.

// TokenizerUnion is the base's tokenizer and after it the tokens that only models have.
const TokenizerUnion = "union"

const tokenizerFile = "tokenizer.json"

// maxTokens is the largest number of a token that is taken for one.
const maxTokens = 1 << 24

// vocabulary is what an input's tokenizer.json says: the token of each row, "" for rows without one.
type vocabulary struct {
	tokens []string
	ids    map[string]int
	added  map[string]json.RawMessage // entries of added_tokens, by token
}

// readVocabulary reads a folder's tokenizer.json; nil where there is none.
func readVocabulary(dir string) (*vocabulary, error) {
	path := filepath.Join(dir, tokenizerFile)
	data, err := readSidecar(path)
	if errors.Is(err, fs.ErrNotExist) || dir == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var file struct {
		Model struct {
			Vocab json.RawMessage `json:"vocab"`
		} `json:"model"`
		Added []json.RawMessage `json:"added_tokens"`
	}
	v := &vocabulary{ids: map[string]int{}, added: map[string]json.RawMessage{}}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, Problem{Code: codes.Read, Where: path, What: "it is not what tokenizers write: " + atLine(data, err), Expected: "a tokenizer", Fix: "copy it again from where the model comes from (hf download)"}
	}
	if json.Unmarshal(file.Model.Vocab, &v.ids) != nil {
		var pieces [][2]any // of Unigram: piece and score, in the order of the rows
		if err := json.Unmarshal(file.Model.Vocab, &pieces); err != nil {
			return nil, Problem{Code: codes.Read, Where: path, What: "its model has no vocabulary that is known", Expected: "tokens with their numbers, or a list of pieces"}
		}
		v.ids = map[string]int{}
		for i, p := range pieces {
			v.ids[fmt.Sprint(p[0])] = i
		}
	}
	for _, raw := range file.Added {
		var t struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		}
		if json.Unmarshal(raw, &t) == nil {
			v.ids[t.Content], v.added[t.Content] = t.ID, raw
		}
	}
	last := -1
	for token, id := range v.ids {
		if id < 0 || id > maxTokens {
			return nil, Problem{Code: codes.Read, Where: path, What: fmt.Sprintf("the token %q has the number %d", token, id), Expected: "the number of a row", Fix: "copy it again from where the model comes from (hf download)"}
		}
		last = max(last, id)
	}
	v.tokens = make([]string, last+1)
	for token, id := range v.ids {
		v.tokens[id] = token
	}
	return v, nil
}

// alignment is how rows of a vocabulary are told apart by their token.
type alignment struct {
	of   []*vocabulary // of the base, where there is one, and of each model; nil: as the layout's
	out  []string      // the token of each row of the output
	news []string      // those of out that the tokenizer that is copied lacks
	from *input        // whose tokenizer is copied
}

// align settles which token a row of the output is.
func (p *Plan) align(found *problems) {
	name := p.r.spec.Tokenizer
	if name == "" {
		return
	}
	a := &alignment{from: p.layoutInput()}
	for _, in := range p.sources() {
		v, err := readVocabulary(in.dir)
		found.take(codes.Tokenizer, in.name, err)
		if in.adapter != nil {
			v = nil
		}
		a.of = append(a.of, v)
		if in.name == name {
			a.from = in
		}
	}
	own := a.of[slices.Index(p.sources(), a.from)]
	if own == nil && len(found.list) == 0 && a.from == p.layoutInput() && name != TokenizerUnion {
		found.warn(codes.Tokenizer, a.from.name, "it has no "+tokenizerFile+", which would say what token a row is", "", "rows go by their number; save its fast tokenizer beside the weights to have them go by their token")
		return
	}
	if own == nil && len(found.list) == 0 {
		found.add(codes.Tokenizer, a.from.name, "it has no "+tokenizerFile, "the tokenizer whose tokens the rows are", "save its fast tokenizer beside the weights (AutoTokenizer.from_pretrained(…).save_pretrained(…)), or leave tokenizer out")
	}
	if len(found.list) > 0 {
		return
	}
	a.out = slices.Clone(own.tokens)
	if name == TokenizerUnion {
		known := map[string]bool{}
		for token := range own.ids {
			known[token] = true
		}
		for _, v := range a.of {
			for _, token := range v.list() {
				if token != "" && !known[token] {
					known[token] = true
					a.news = append(a.news, token)
				}
			}
		}
		a.out = append(a.out, a.news...)
	}
	p.alignment = a
}

func (v *vocabulary) list() []string {
	if v == nil {
		return nil
	}
	return v.tokens
}

// sources are the base, where there is one, and the models.
func (p *Plan) sources() []*input {
	if p.base == nil {
		return p.models
	}
	return append([]*input{p.base}, p.models...)
}

// gather is how an operand's rows are read in another order.
type gather struct {
	rows   []int64 // by row of the output; −1: the input has no such token
	pad    int64   // rows from here on are added, the mean of those before
	mean   func() ([]float64, error)
	others []operand // of all inputs, the base first, whose rows stand for one that is missing
	based  bool      // the first of others is the base
}

// alignRows makes the operands of a tensor with a row a token read those rows in the order of the output's tokens.
func (p *Plan) alignRows(t *tensor, found *problems) {
	operands := t.models
	if t.base.present() {
		operands = append([]operand{t.base}, t.models...)
	}
	a := p.alignment
	rows := int64(len(a.out))
	for i, o := range operands {
		if p.sources()[i] == a.from && o.present() {
			rows = max(rows, o.tensor.Shape[0])
		}
	}
	pad := rows
	if m := int64(p.r.spec.PadVocab); m > 0 {
		rows = (rows + m - 1) / m * m
	}
	maps := make([][]int64, len(operands))
	same := true
	for i, o := range operands {
		v := a.of[i]
		if v == nil {
			v = a.of[0]
		}
		if !o.present() {
			continue
		}
		maps[i] = rowsOf(v, o.tensor.Shape[0], a.out, pad)
		for r, from := range maps[i] {
			same = same && from == int64(r)
		}
		same = same && o.tensor.Shape[0] == rows
	}
	if same {
		return
	}
	for i, o := range operands {
		if in := p.sources()[i]; in.adapter != nil && (o.lora != nil || o.present()) {
			found.tensors.add(codes.Tokenizer, in.name, t.Name, "an adapter changes it, and its rows are put in another order", "full checkpoints where rows go by their token", "merge the adapter into its model first")
			return
		}
	}
	t.Shape[0] = rows
	t.Len = safetensors.Tensor{Shape: t.Shape}.Elements()
	for i := range operands {
		if operands[i].present() {
			operands[i].rows = &gather{rows: maps[i], pad: pad}
		}
	}
	others := slices.DeleteFunc(slices.Clone(operands), func(o operand) bool { return !o.present() })
	for i := range operands {
		if o := &operands[i]; o.present() {
			o.rows.others, o.rows.based = others, t.base.present()
			at := *o
			o.rows.mean = sync.OnceValues(at.meanRow)
			o.tensor.Shape = slices.Clone(o.tensor.Shape)
			o.tensor.Shape[0] = rows
		}
	}
	first := 0
	if t.base.present() {
		t.base, first = operands[0], 1
	}
	copy(t.models, operands[first:])
	t.layout = operands[0]
	p.vocab = rows
}

// rowsOf finds the row of an input for each row of the output. Rows that are no token anywhere keep their number.
func rowsOf(v *vocabulary, have int64, out []string, rows int64) []int64 {
	list := make([]int64, rows)
	for r := range list {
		list[r] = -1
		token := ""
		if r < len(out) {
			token = out[r]
		}
		if id, ok := v.ids[token]; ok && token != "" && int64(id) < have {
			list[r] = int64(id)
		} else if token == "" && int64(r) < have && (r >= len(v.tokens) || v.tokens[r] == "") {
			list[r] = int64(r)
		}
	}
	return list
}

// gather reads n elements of an operand, from start on, row by row.
func (w *worker) gather(into []byte, o operand, start int64, n int) ([]byte, error) {
	size := o.tensor.DType.Bits() / 8
	width := o.tensor.Elements() / o.tensor.Shape[0]
	raw := into[:int64(n)*size]
	for at := start; at < start+int64(n); {
		row, in := at/width, at%width
		k := min(width-in, start+int64(n)-at)
		part := raw[(at-start)*size : (at-start+k)*size]
		if row >= o.rows.pad {
			mean, err := o.rows.mean()
			if err != nil {
				return nil, err
			}
			kernel.Encode64(vector(part, o.tensor.DType), mean[in:in+k])
		} else if from := o.rows.rows[row]; from >= 0 {
			if _, err := o.file.ReadAt(part, o.tensor.Offset+(from*width+in)*size); err != nil {
				return nil, readProblem(o, err)
			}
		} else if err := o.rows.fill(part, o, row, in, k, width); err != nil {
			return nil, err
		}
		at += k
	}
	w.job.meter.add(int64(len(raw)))
	return raw, nil
}

// meanRow is the mean of an operand's rows as they are gathered, without those that are added.
func (o operand) meanRow() ([]float64, error) {
	width := o.tensor.Elements() / o.tensor.Shape[0]
	raw, one, sum := make([]byte, width*o.tensor.DType.Bits()/8), make([]float64, width), make([]float64, width)
	for row, from := range o.rows.rows {
		var err error
		if from < 0 {
			err = o.rows.fill(raw, o, int64(row), 0, width, width)
		} else if _, err = o.file.ReadAt(raw, o.tensor.Offset+from*int64(len(raw))); err != nil {
			err = readProblem(o, err)
		}
		if err == nil && !kernel.Decode64(one, vector(raw, o.tensor.DType)) {
			err = notFiniteInput(raw, o, from*width, "a row of the vocabulary")
		}
		if err != nil {
			return nil, err
		}
		for e := range sum {
			sum[e] += one[e] / float64(len(o.rows.rows))
		}
	}
	return sum, nil
}

// fill makes k elements of a row that the operand lacks: the base's, or the mean of those that have it, or zeros.
func (g *gather) fill(into []byte, o operand, row, start, k, width int64) error {
	sum, one := make([]float64, k), make([]float64, k)
	found := 0.0
	for i, other := range g.others {
		from := other.rows.rows[row]
		if from < 0 {
			continue
		}
		size := other.tensor.DType.Bits() / 8
		raw := make([]byte, k*size)
		if _, err := other.file.ReadAt(raw, other.tensor.Offset+(from*width+start)*size); err != nil {
			return readProblem(other, err)
		}
		if !kernel.Decode64(one, vector(raw, other.tensor.DType)) {
			return notFiniteInput(raw, other, from*width+start, "a row of the vocabulary")
		}
		for e := range sum {
			sum[e] += one[e]
		}
		if found++; i == 0 && g.based {
			break
		}
	}
	if found > 0 {
		for e := range sum {
			sum[e] /= found
		}
	}
	kernel.Encode64(vector(into, o.tensor.DType), sum)
	return nil
}

// withTokens is a tokenizer.json with tokens after its own.
func (a *alignment) withTokens(data []byte) ([]byte, error) {
	e, ok := findEntry(data, "added_tokens")
	if !ok || !e.found {
		return nil, Problem{Code: codes.Tokenizer, Where: a.from.name, What: "its " + tokenizerFile + " has no added_tokens", Expected: "a list to which tokens can be added"}
	}
	list := strings.TrimRight(string(data[e.start:e.end]), " \n\r\t]")
	for i, token := range a.news {
		entry := map[string]any{"single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}
		for _, v := range a.of {
			if v != nil && v.added[token] != nil {
				_ = json.Unmarshal(v.added[token], &entry) // it was read as one
				break
			}
		}
		entry["id"], entry["content"] = len(a.out)-len(a.news)+i, token
		text, err := json.Marshal(entry)
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(strings.TrimSpace(list), "[") {
			list += ","
		}
		list += "\n    " + string(text)
	}
	return slices.Concat(data[:e.start], []byte(list+"\n  ]"), data[e.end:]), nil
}

// tokenFilePatterns are the files that a tokenizer is made of.
var tokenFilePatterns = []string{"tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "vocab.bpe", "bpe.codes", "dict.txt", "*.model", "*.model.v*", "*.spm", "*.tiktoken", "chat_template*", templateFolder + "/*", "generation_config.json"}

func isTokenFile(name string) bool {
	return slices.ContainsFunc(tokenFilePatterns, func(pattern string) bool { ok, _ := filepath.Match(pattern, name); return ok })
}

// tokenSidecars puts the files of the tokenizer that was named, and the chat template, into the place of the layout's.
func (p *Plan) tokenSidecars(list []sidecar) ([]sidecar, error) {
	if a := p.alignment; a != nil && a.from != p.layoutInput() {
		list = slices.DeleteFunc(list, func(f sidecar) bool { return isTokenFile(f.name) })
		names, err := sidecarNames(a.from.dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if isTokenFile(name) {
				list = append(list, sidecar{name: name, from: filepath.Join(a.from.dir, name)})
			}
		}
		for i := range list {
			if list[i].name == configFile {
				list[i].data = specialTokens(list[i].data, a.from.config)
			}
		}
	}
	if a := p.alignment; a != nil && len(a.news) > 0 {
		for i, f := range list {
			if f.name == tokenizerFile {
				data, err := readSidecar(f.from)
				if err == nil {
					data, err = a.withTokens(data)
				}
				if err != nil {
					return nil, err
				}
				list[i] = sidecar{name: f.name, data: data}
			}
		}
	}
	return p.withTemplate(list)
}

// specialTokens is a config.json with the numbers of special tokens that another model's has.
func specialTokens(data []byte, c *modelConfig) []byte {
	if c == nil {
		return data
	}
	for _, key := range []string{"bos_token_id", "eos_token_id", "pad_token_id"} {
		if v, ok := c.top[key]; ok {
			if text, err := json.Marshal(v); err == nil {
				data = setEntry(data, string(text), key)
			}
		}
	}
	return data
}
