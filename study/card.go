package study

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/visible"
)

// modelCard is the README.md of an export: a Hugging Face model card that says what was merged, how, why
// this trade-off, and predicted beside measured.
func (s *Study) modelCard(e Export, gains []Gains, why string, at time.Time) []byte {
	var b bytes.Buffer
	models := s.hubModels(e)
	fmt.Fprintf(&b, "---\n%s---\n\n# %s\n\n", cardHead(models, e.Form), markdown(e.Name))
	from := "from"
	if e.OnFront {
		from = "chosen on the Pareto front of"
	}
	what := fmt.Sprintf("A merge of %d fine-tuned models", len(s.spec().Models))
	switch part := Models(s.space(), e.X); {
	case len(part) == 0 && len(s.space().Simplex) == 0:
		what = "The base model itself, in which no fine-tuned model has a part, written"
	case len(part) == 1:
		what = fmt.Sprintf("One fine-tuned model, %s, and no merge of several, written", markdown(part[0]))
	}
	fmt.Fprintf(&b, "%s by `%s`, %s the study %s.\n", what, s.spec().Method.Name, from, code(s.name()))
	if e.Form == FormAdapter {
		b.WriteString("It is a LoRA adapter, which programs load on the base model.")
		if e.Cut != nil {
			fmt.Fprintf(&b, " %s.", markdown(e.Cut.String()))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n| model | from |\n|---|---|\n")
	for _, m := range models {
		from := "a folder of whoever made this"
		if m.hub != "" {
			from = fmt.Sprintf("[%s](https://huggingface.co/%[1]s)", m.hub)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", markdown(m.name), from)
	}
	if why != "" {
		fmt.Fprintf(&b, "\n**Why this trade-off:** %s\n", markdown(why))
	}
	b.WriteString("\n| coefficient | value |\n|---|---|\n")
	for _, n := range s.space().Numbers() {
		fmt.Fprintf(&b, "| %s | %.6g |\n", markdown(n.Name), n.At(e.X))
	}
	b.WriteString("\n| task | role | predicted (90 % interval) | validation | test |\n|---|---|---|---|---|\n")
	for _, t := range s.spec().Tasks {
		p, ok := e.Predicted[t.Name]
		pred := "–"
		if ok {
			pred = fmt.Sprintf("%.4g (%.4g … %.4g)", p.Value, p.Lo, p.Hi)
		}
		fmt.Fprintf(&b, "| %s | %s, %s | %s | %s | %s |\n", markdown(t.Name), t.Role, t.Sense, pred,
			figure(e.Measured[evaluator.Validation], t), figure(e.Measured[evaluator.Test], t))
	}
	s.writeGains(&b, gains)
	for _, t := range slices.Sorted(maps.Keys(e.BesideFiles)) {
		fmt.Fprintf(&b, "\n**The figures of %s were not measured on the files written here:** %s.\n", markdown(t), markdown(e.BesideFiles[t]))
	}
	if len(e.BelowBase) > 0 {
		fmt.Fprintf(&b, "\n**Predicted to be worse than the base model on:** %s.\n", markdown(strings.Join(e.BelowBase, ", ")))
	}
	if len(e.Breaks) > 0 {
		fmt.Fprintf(&b, "\n**Predicted to break the floor that was set for:** %s.\n", markdown(strings.Join(e.Breaks, ", ")))
	}
	for _, t := range slices.Sorted(maps.Keys(e.Flagged)) {
		fmt.Fprintf(&b, "\n**The prediction of %s should not be believed:** %s.\n", markdown(t), markdown(e.Flagged[t]))
	}
	if e.Doubt != "" {
		fmt.Fprintf(&b, "\n**Do not believe these predictions before they are measured:** these coefficients are %s.\n", markdown(e.Doubt))
	}
	b.WriteString("\nAn interval is of one more measurement on the same items, nine times of ten. On n other items of the kind a rate p differs by as much as ±1.64·√(p(1−p)/n) besides.\n")
	b.WriteString("Predictions were made on the validation split; a pick is optimistic there, so compare on the test split.\n")
	b.WriteString("`recipe.yaml` makes these weights again (`parfait merge recipe.yaml OUT`); `receipt.json` has the hashes of every input and output.\n")
	fmt.Fprintf(&b, "\nWritten %s.\n", at.UTC().Format("2006-01-02 15:04 UTC"))
	return b.Bytes()
}

// cardModel is a model that a merge was made of, and what the hub calls it, "" where that is not known.
type cardModel struct{ name, hub string }

// hubModels are the base and the models that have a part in an export.
func (s *Study) hubModels(e Export) []cardModel {
	from := s.spec().mergeSpec(s.dir)
	out := []cardModel{{"base", merge.HubModel(from.Base)}}
	part := Models(s.space(), e.X)
	for _, m := range from.Models {
		if slices.Contains(part, m.Name) || len(s.space().Simplex) > 0 {
			out = append(out, cardModel{m.Name, merge.HubModel(m.Path)})
		}
	}
	return out
}

// cardHead is the metadata of a card, as the hub reads it: it refuses a base_model that is no id of its own.
func cardHead(models []cardModel, form string) string {
	library, relation := "transformers", "merge"
	if form == FormAdapter {
		library, relation, models = "peft", "adapter", models[:1]
	}
	head := "library_name: " + library + "\ntags: [merge, parfait]\n"
	var known []string
	for _, m := range models {
		if m.hub != "" && !slices.Contains(known, m.hub) {
			known = append(known, m.hub)
		}
	}
	if len(known) == 0 {
		return head
	}
	head += "base_model:\n"
	for _, id := range known {
		head += "- " + yamlWord(id) + "\n"
	}
	return head + "base_model_relation: " + relation + "\n"
}

// writeGains writes what an export has over what there was without a search, a row each.
func (s *Study) writeGains(b *bytes.Buffer, gains []Gains) {
	if len(gains) == 0 {
		return
	}
	b.WriteString("\nMeasured on validation and held against what there was without a search: better (+) or worse (−), with the standard error of the difference; in bold type where it is more than twice that:\n")
	head, rule := "\n| |", "\n|---|"
	var objectives []Task
	for _, t := range s.spec().Tasks {
		if t.Role == Objective {
			objectives = append(objectives, t)
			head, rule = head+" "+markdown(t.Name)+" |", rule+"---|"
		}
	}
	b.WriteString(head + rule + "\n")
	for _, g := range gains {
		fmt.Fprintf(b, "| %s |", markdown(g.Over))
		for _, t := range objectives {
			d, ok := g.Tasks[t.Name]
			cell := "–"
			if ok {
				cell = strings.Replace(fmt.Sprintf("%+.3g", d.Gain), "-", "−", 1)
				if d.Stderr > 0 {
					cell += fmt.Sprintf(" ± %.2g", d.Stderr)
				}
				if d.Sure() {
					cell = "**" + cell + "**"
				}
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		b.WriteString("\n")
	}
}

// markdown is somebody's text within a line of Markdown: as it was written, whatever Markdown, HTML or a terminal
// would make of it.
func markdown(s string) string {
	return special.Replace(visible.Line(strings.Join(strings.Fields(s), " ")))
}

// special are the characters that begin something within a line of GitHub's Markdown. Underscores do not, between
// letters, and names have them.
var special = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	" _", ` \_`, "_ ", `\_ `,
)

// code is a name as code, where it needs nothing else.
func code(name string) string {
	if plainName.MatchString(name) {
		return "`" + name + "`"
	}
	return markdown(name)
}

var (
	plainName = regexp.MustCompile(`^[\pL\pN_. -]+$`)
	plainYAML = regexp.MustCompile(`^(\.{0,2}/|[A-Za-z_])[\w./+@-]*$`)
)

// yamlWord is a text as a value of YAML.
func yamlWord(s string) string {
	if plainYAML.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

func figure(m map[string]Metric, task Task) string {
	v, ok := m[task.Name]
	if !ok {
		return "not measured"
	}
	s := fmt.Sprintf("%.4g", v.Value)
	if stderr, known := task.Stderr(v); known {
		s += fmt.Sprintf(" ± %.2g", stderr)
	}
	if v.N > 0 {
		s += fmt.Sprintf(" (n = %d)", v.N)
	}
	return strings.TrimSpace(s)
}
