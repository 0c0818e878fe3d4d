package study

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
)

const tieSpec = `version: 1
base: b
models:
  - {name: math, path: m, range: [0, 1.2]}
  - {name: code, path: c, range: [0, 1.2]}
  - {name: chat, path: h, value: 0.3}
tasks: [{name: t, unit: rate}]
evaluators: {main: {command: [true]}}
`

const tieGroups = "groups: [{name: early, match: 'a*'}, {name: late, match: '*'}]\n"

// numbersOf are the numbers of a spec's merges, where each coefficient is its place and a tenth.
func numbersOf(t *testing.T, text string) (names, numbers string) {
	t.Helper()
	s, err := ParseSpec("s.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sp, err := s.space()
	if err != nil {
		t.Fatal(err)
	}
	var of, all []string
	var x []float64
	for i, c := range sp.Coefficients {
		of, x = append(of, c.Name+"("+c.Model+","+c.Group+")"), append(x, float64(i)+0.1)
	}
	for _, n := range sp.Numbers() {
		all = append(all, fmt.Sprintf("%s %g", n.Name, n.At(x)))
	}
	return strings.Join(of, " "), strings.Join(all, ", ")
}

// What is fixed or tied is no dimension of the search, and has its place in every merge.
func TestFixedAndTied(t *testing.T) {
	for _, c := range []struct{ what, text, coefficients, numbers string }{
		{"a value", tieSpec, "math(math,) code(code,)", "math 0.1, code 1.1, chat 0.3"},
		{"models", tieSpec + "tie: [[code, math]]\n", "math(math+code,)", "math 0.1, code 0.1, chat 0.3"},
		{"models in groups", tieSpec + tieGroups + "tie: [[code, math]]\n", "math.early(math+code,early) math.late(math+code,late)", "math.early 0.1, code.early 0.1, chat.early 0.3, math.late 1.1, code.late 1.1, chat.late 0.3"},
		{"groups", strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1) + tieGroups + "tie: [[late, early]]\n", "math.early(math,early+late) code.early(code,early+late) chat.early(chat,early+late)", "math.early 0.1, code.early 1.1, chat.early 2.1, math.late 0.1, code.late 1.1, chat.late 2.1"},
		{"across both", tieSpec + tieGroups + "tie: [[math.late, code.early]]\n", "math.early(math,early) code.early(code+math,early+late) code.late(code,late)", "math.early 0.1, code.early 1.1, chat.early 0.3, math.late 1.1, code.late 2.1, chat.late 0.3"},
		{"a chain", tieSpec + tieGroups + "tie: [[math.early, code.early], [code.late, math.early]]\n", "math.early(math+code,early+late) math.late(math,late)", "math.early 0.1, code.early 0.1, chat.early 0.3, math.late 1.1, code.late 0.1, chat.late 0.3"},
		{"a profile", tieSpec + "profile: 2\n", "math.k1(math,k1) code.k1(code,k1) math.k2(math,k2) code.k2(code,k2)", "math.k1 0.1, code.k1 1.1, chat.k1 0.3, math.k2 2.1, code.k2 3.1, chat.k2 0.3"},
		{"knots", tieSpec + "profile: 3\ntie: [[k2, k3]]\n", "math.k1(math,k1) code.k1(code,k1) math.k2(math,k2+k3) code.k2(code,k2+k3)", "math.k1 0.1, code.k1 1.1, chat.k1 0.3, math.k2 2.1, code.k2 3.1, chat.k2 0.3, math.k3 2.1, code.k3 3.1, chat.k3 0.3"},
		{
			"a profile in groups", strings.Replace(tieSpec, "range: [0, 1.2]", "value: 1", 1) + tieGroups + "profile: 2\n", "code.early.k1(code,early.k1) code.early.k2(code,early.k2) code.late.k1(code,late.k1) code.late.k2(code,late.k2)",
			"math.early.k1 1, code.early.k1 0.1, chat.early.k1 0.3, math.early.k2 1, code.early.k2 1.1, chat.early.k2 0.3, math.late.k1 1, code.late.k1 2.1, chat.late.k1 0.3, math.late.k2 1, code.late.k2 3.1, chat.late.k2 0.3",
		},
		{"a proportion", strings.Replace(tieSpec, ", range: [0, 1.2]", "", 2) + "method: linear\n", "math(math,) code(code,) chat(chat,)", "math 0.1, code 1.1, chat 2.1"},
	} {
		of, numbers := numbersOf(t, c.text)
		if of != c.coefficients || numbers != c.numbers {
			t.Errorf("%s: the coefficients are %s and the numbers %s, want %s and %s", c.what, of, numbers, c.coefficients, c.numbers)
		}
	}
	s, err := ParseSpec("s.yaml", []byte(strings.Replace(tieSpec, ", range: [0, 1.2]", "", 2)+"method: linear\n"))
	if err != nil {
		t.Fatal(err)
	}
	if sp, err := s.space(); err != nil || sp.Coefficients[2].Lo != 0.3 || sp.Coefficients[2].Hi != 0.3 || sp.Coefficients[0].Hi != 0.7 {
		t.Errorf("a proportion that is fixed at .3 leaves %+v, %v; want it to be .3, and the others .7 at most", sp.Coefficients, err)
	}
}

// Everything wrong with values and ties is said at once, where it stands.
func TestTiesThatCannotBe(t *testing.T) {
	text := strings.NewReplacer("value: 0.3", "value: 0.3, range: [0, 1]", "path: c, range: [0, 1.2]", "path: c, range: [0, 1]").Replace(tieSpec) + tieGroups +
		"tie: [[math, code], [math, cdoe], [math], [math, math], [math, chat], [math, early], [nobody, math], [math.early, code.late]]\n"
	_, err := ParseSpec("s.yaml", []byte(text))
	if err == nil {
		t.Fatal("nothing is refused")
	}
	for _, want := range []string{
		"models[2].value: the coefficient has a range too",
		"tie[0]: math.early and code.early are one coefficient and have different ranges, [0, 1.2] and [0, 1]",
		`tie[1][1]: unknown coefficient "cdoe"; did you mean "code"?`,
		"tie[2]: expected two names or more, found 1",
		`tie[3][1]: "math" stands twice`,
		"tie[4]: chat.early has a value and is not searched",
		"tie[5][1]: early is another kind of thing than math: models are tied to models",
		`tie[6][0]: unknown coefficient "nobody"`,
		"tie[7]: math.early and code.late are one coefficient and have different ranges",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q:\n%v", want, err)
		}
	}
	for want, text := range map[string]string{
		"profile: expected a whole number of at least 2, found 1":      tieSpec + "profile: 1\n",
		"tie[0][1]: k1 is another kind of thing than math":             tieSpec + "profile: 2\ntie: [[math, k1]]\n",
		"are proportions, which sum to 1, and are not tied":            strings.Replace(tieSpec, "range: [0, 1.2]", "range: [0, 1]", 2) + "method: linear\ntie: [[math, code]]\n",
		"every model has a value, and nothing is left to search":       strings.ReplaceAll(tieSpec, "range: [0, 1.2]", "value: 1"),
		"proportions, from 0 to 1: nothing of this is":                 strings.Replace(strings.Replace(tieSpec, ", range: [0, 1.2]", "", 2), "0.3", "1.3", 1) + "method: linear\n",
		"passthrough has no coefficients of models that could be tied": "version: 1\nbase: b\nmodels: [{name: math, path: m}]\nmethod: {name: passthrough, scale: {range: [0, 1]}}\n" + tieGroups + "tie: [[early, late]]\ntasks: [{name: t}]\nevaluators: {main: {command: [true]}}\n",
	} {
		if _, err := ParseSpec("s.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}

// A study says what it was measured with: another value, and another tie, is another study.
func TestWhatIsFixedIsPartOfTheStudy(t *testing.T) {
	identityOf := func(text string) string {
		s, err := ParseSpec("s.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sp, err := s.space()
		if err != nil {
			t.Fatal(err)
		}
		return mustJSON(s.identity(sp))
	}
	was := identityOf(tieSpec)
	for what, text := range map[string]string{
		"another value": strings.Replace(tieSpec, "0.3", "0.4", 1), "no value": strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1), "a tie": tieSpec + "tie: [[math, code]]\n",
	} {
		now := identityOf(text)
		err := (&asked{identity: now}).against(t.TempDir(), &record{meta: map[string]string{"identity": was}, trials: []Trial{{Metrics: evaluator.Metrics{"t": {Value: 0.5}}}}})
		back := (&asked{identity: was}).against(t.TempDir(), &record{meta: map[string]string{"identity": now}, trials: []Trial{{Metrics: evaluator.Metrics{"t": {Value: 0.5}}}}})
		if err == nil || back == nil {
			t.Errorf("%s is taken for the same study: %v, %v", what, err, back)
		}
	}
	free := identityOf(strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1))
	if strings.Contains(free, "fixed") {
		t.Errorf("a study without values and ties is another than it was: %s", free)
	}
}

// The named points are those that the study can have: no base beside a model that is fixed, none alone that shares its
// coefficient.
func TestReferencesBesideWhatIsFixed(t *testing.T) {
	for text, want := range map[string][]string{
		strings.Replace(tieSpec, "value: 0.3", "value: 0", 1): {"base", "math", "code"},
		tieSpec: nil,
		strings.Replace(tieSpec, "0.3", "0.3333333333333333", 1):                                                     {"uniform"},
		strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1) + "tie: [[math, code]]\n":                         {"base", "chat", "uniform"},
		strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1) + tieGroups + "tie: [[early, late]]\n":            {"base", "math", "code", "chat", "uniform"},
		strings.Replace(tieSpec, "value: 0.3", "range: [0, 1]", 1) + tieGroups + "tie: [[math.early, code.early]]\n": {"base", "chat", "uniform"},
	} {
		s, err := ParseSpec("s.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		sp, err := s.space()
		if err != nil {
			t.Fatal(err)
		}
		a := &Analysis{Space: sp}
		a.references()
		var got []string
		for _, r := range a.References {
			got = append(got, r.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the references %v, want %v", text, got, want)
		}
	}
}
