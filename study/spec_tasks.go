package study

import (
	"slices"
	"strings"

	"parfait/problem"
	"parfait/surrogate"
	"parfait/yamldoc"
)

func (r specReader) tasks(n yamldoc.Node) []Task {
	var out []Task
	for _, item := range n.List() {
		t := Task{Role: Objective}
		var link string
		item.Fields(map[string]func(yamldoc.Node){
			"name":      func(n yamldoc.Node) { t.Name = r.name(n) },
			"role":      func(n yamldoc.Node) { t.Role = Role(n.Word("role", "objective", "guard", "info")) },
			"unit":      func(n yamldoc.Node) { t.Unit = unit(n) },
			"sense":     func(n yamldoc.Node) { t.Sense = Sense(n.Word("sense", "maximize", "minimize")) },
			"link":      func(n yamldoc.Node) { link = n.Word("link", "auto", "identity", "logit", "log") },
			"at_least":  func(n yamldoc.Node) { v := n.Float(); t.AtLeast = &v },
			"at_most":   func(n yamldoc.Node) { v := n.Float(); t.AtMost = &v },
			"evaluator": func(n yamldoc.Node) { t.Evaluator = n.Text() },
		})
		if t.Name == "" {
			item.Failf("a task needs a name")
		}
		if slices.ContainsFunc(out, func(o Task) bool { return o.Name == t.Name }) {
			item.Failf("the name %q is taken by an earlier task", t.Name)
		}
		if t.Sense == "" {
			t.Sense = Maximize
			if costs(t.Unit) {
				t.Sense = Minimize
			}
		}
		if t.AtLeast != nil && t.AtMost != nil && *t.AtLeast > *t.AtMost {
			item.Failf("at_least %g is above at_most %g: nothing can satisfy both", *t.AtLeast, *t.AtMost)
		}
		t.Link, t.AutoLink = linkOf(link, t.Unit), link == "" || link == "auto"
		out = append(out, t)
	}
	return out
}

// unit reads a task's unit: any word, but for those that are meant to be one of those that mean something.
func unit(n yamldoc.Node) string {
	word := n.Text()
	if meant := problem.Meant(word, Units); meant != "" {
		n.Failf("unknown unit %q; %s (a unit of your own needs a name less like it)", word, meant)
	}
	return word
}

// linkOf resolves "auto": rate → logit, what costs → log while it is positive, else identity.
func linkOf(link, unit string) surrogate.Link {
	switch {
	case link != "" && link != "auto":
		return surrogate.Link(link)
	case unit == UnitRate:
		return surrogate.Logit
	case costs(unit):
		return surrogate.Log
	}
	return surrogate.Identity
}

// checkTasks gives every task its evaluator and checks what only shows with all of them read.
func (r specReader) checkTasks(n yamldoc.Node, s *Spec) {
	if !n.Present() {
		return
	}
	var names []string
	for name := range s.Evaluators {
		names = append(names, name)
	}
	slices.Sort(names)
	items, objectives := n.List(), 0
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.Role == Objective {
			objectives++
		}
		switch {
		case t.Evaluator == "" && len(names) == 1:
			t.Evaluator = names[0]
		case t.Evaluator == "" && slices.Contains(names, "main"):
			t.Evaluator = "main"
		case t.Evaluator == "" && len(names) > 1:
			items[i].Failf("which evaluator measures it? Say evaluator: %s (or name one of them main)", strings.Join(names, " | "))
		case t.Evaluator != "" && !slices.Contains(names, t.Evaluator):
			items[i].Unknown("evaluator", t.Evaluator, names)
		}
	}
	if objectives == 0 {
		n.Failf("expected at least one task with role objective")
	}
	r.checkTheirs(s)
}
