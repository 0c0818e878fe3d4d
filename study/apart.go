package study

import (
	"fmt"
	"slices"
	"strings"
)

// Stray says whether a trial reads so far from all others on a task that it says nothing of any other place. Such a
// trial has no part in the task's surrogate, and does not set its scale.
func (a *Analysis) Stray(trial, task int) bool {
	f := a.Fits[task]
	return !f.Trust.Cliff && slices.ContainsFunc(f.Trust.Apart, func(k int) bool { return f.Used[k] == trial })
}

// mostApart is how many trials that are fitted apart are named of a task.
const mostApart = 5

// Apart says in words which trials are fitted apart from the others on a task, and why; "" where none is.
func (a *Analysis) Apart(task int) string {
	f := a.Fits[task]
	var ids []string
	for _, k := range f.Trust.Apart {
		ids = append(ids, fmt.Sprint(a.Trials[f.Used[k]].ID))
	}
	switch n := len(ids); {
	case n == 0:
		return ""
	case n == 1:
		if f.Trust.Cliff {
			return "trial " + ids[0] + " collapsed: it is fitted apart, and with it where it happens"
		}
		k := f.Trust.Apart[0]
		measured := a.Trials[f.Used[k]].Metrics[f.Task].Value
		return fmt.Sprintf("trial %s measured %.4g where all others say %.4g: it is fitted apart, and what lies near it is not believed", ids[0], measured, f.Trust.LOO[k])
	case n > mostApart:
		ids = append(ids[:mostApart], fmt.Sprintf("%d more", n-mostApart))
	}
	last := len(ids) - 1
	named := "trials " + strings.Join(ids[:last], ", ") + " and " + ids[last]
	if f.Trust.Cliff {
		return named + " collapsed: they are fitted apart, and with them where it happens"
	}
	return named + " are far from what all others say: they are fitted apart, and what lies near them is not believed"
}
