package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
)

// action is something that a person can do: a key as data. Dispatch, help, the bar at the bottom, the
// palette and docs/keys.md all come from these.
type action struct {
	ID      string
	Scopes  []scope
	Keys    []string // the first is shown
	Title   string   // what it does, for help and the palette
	Hint    string   // a word or two for the bar; "" keeps it out
	Pair    string   // what the bar shows for the first key and that of the action that does the opposite; "": the key
	Bar     int      // its rank there: those with a rank come first, the lowest first
	Quiet   bool     // the bar leaves it out where it cannot be done: what this study does not have, or what is over
	Twin    string   // the command that does the same without a screen; "" where only the screen changes
	Role    Role     // who may
	Changes bool     // changes the study, not only what is seen of it
	Danger  bool     // asks before it acts

	disabled func(*explorer) string // why it cannot be done now; nil: it always can
	do       func(*explorer) tea.Cmd
}

// ActionInfo is one action as documents show it.
type ActionInfo struct {
	ID      string   `json:"id"`
	Scopes  []scope  `json:"places"`
	Keys    []string `json:"keys"`
	Title   string   `json:"title"`
	Twin    string   `json:"twin,omitempty"`
	Role    Role     `json:"role"`
	Changes bool     `json:"changes"`
	Danger  bool     `json:"danger"`
}

// Keys are all actions, in the order in which help shows them.
func Keys() []ActionInfo {
	var out []ActionInfo
	for _, a := range actions() {
		out = append(out, ActionInfo{a.ID, a.Scopes, a.Keys, a.Title, a.Twin, a.Role, a.Changes, a.Danger})
	}
	return out
}

// keymap finds actions by scope and key.
type keymap struct {
	all []action
	at  map[scope]map[string]*action
}

func newKeymap() keymap {
	k := keymap{all: actions(), at: map[scope]map[string]*action{}}
	for i := range k.all {
		a := &k.all[i]
		for _, p := range a.Scopes {
			if k.at[p] == nil {
				k.at[p] = map[string]*action{}
			}
			for _, key := range a.Keys {
				k.at[p][key] = a
			}
		}
	}
	return k
}

func (k keymap) find(p scope, key string) (*action, bool) {
	a, ok := k.at[p][key]
	return a, ok
}

// nothing says in at most w cells that a key does nothing in a scope, and where it does something.
func (k keymap) nothing(p scope, key string, w int) string {
	text := keyName(key) + " does nothing in " + string(p)
	for i := range k.all {
		a := &k.all[i]
		at := slices.IndexFunc(a.Scopes, func(s scope) bool { return slices.Contains(panes, s) })
		if at < 0 || !slices.Contains(a.Keys, key) {
			continue
		}
		for _, where := range []string{"; in " + string(a.Scopes[at]) + ": " + a.Title, "; it does in " + string(a.Scopes[at])} {
			if chart.Width(text+where) <= w {
				return text + where
			}
		}
	}
	return text + "; ? has the keys"
}

// of are the actions of a scope, in their order.
func (k keymap) of(p scope) []*action {
	var out []*action
	for i := range k.all {
		for _, q := range k.all[i].Scopes {
			if p == q {
				out = append(out, &k.all[i])
			}
		}
	}
	return out
}

// keyName writes a key as people know it.
func keyName(k string) string {
	switch k {
	case "left":
		return "←"
	case "right":
		return "→"
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "shift+left":
		return "⇧←"
	case "shift+right":
		return "⇧→"
	case "shift+up":
		return "⇧↑"
	case "shift+down":
		return "⇧↓"
	case "shift+tab":
		return "⇧tab"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	case "home":
		return "Home"
	case "end":
		return "End"
	}
	return k
}

// everywhere says whether an action has its key in every pane, but for those where a digit is a number.
func everywhere(a action) bool {
	return !slices.ContainsFunc(digits, func(s scope) bool { return !slices.Contains(a.Scopes, s) })
}
