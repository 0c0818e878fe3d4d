package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/search"
	"parfait/study"
	"parfait/yamldoc"
)

// assignments reads NAME=VALUE,NAME=VALUE; what and known name the things that may be set. Everything
// wrong is said at once.
func assignments(flag, text, what string, known []string) (map[string]float64, error) {
	out := map[string]float64{}
	var wrong []string
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" {
			wrong = append(wrong, fmt.Sprintf("%q is not NAME=VALUE", strings.TrimSpace(part)))
			continue
		}
		v, err := yamldoc.Number(value)
		switch _, twice := out[name]; {
		case !slices.Contains(known, name):
			wrong = append(wrong, problem.Unknown("", "", what, name, known).Error())
		case twice:
			wrong = append(wrong, name+" stands twice")
		case strings.HasSuffix(value, "%"):
			wrong = append(wrong, fmt.Sprintf("%s: expected a number such as 0.9, found %q", name, value))
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %s, found %q", name, err, value))
		}
		out[name] = v
	}
	if len(wrong) > 0 {
		return nil, usage("", "%s: %s", flag, strings.Join(wrong, "; "))
	}
	return out, nil
}

// readPoint reads a value for every coefficient. A model that is not named is left out: its scaling is 0.
// A parameter or a proportion that is missing is not guessed. Proportions become those of their sum.
func readPoint(space search.Space, flag, text string) ([]float64, error) {
	at, err := assignments(flag, text, "coefficient", coefficientNames(space))
	if err != nil {
		return nil, err
	}
	if err := bound(space, flag, at); err != nil {
		return nil, err
	}
	x := make([]float64, len(space.Coefficients))
	var missing []string
	for i, c := range space.Coefficients {
		name := c.Name
		v, ok := at[name]
		if !ok && (space.Coefficients[i].Kind != search.Scaling || len(space.Simplex) > 0) {
			missing = append(missing, name)
		}
		x[i] = v
	}
	if len(missing) > 0 {
		example := make([]string, len(missing))
		for i, name := range missing {
			example[i] = name + "=0"
		}
		return nil, usage("add them, such as "+strings.Join(example, ","), "%s: no value for %s", flag, strings.Join(missing, ", "))
	}
	normal, err := space.Normal(x)
	if e := (*search.Error)(nil); errors.As(err, &e) {
		return nil, usage("", "%s: %s", flag, e.What)
	}
	return normal, err
}

// bound gives coefficients the values that were given for numbers which are tied to them. What is fixed may be given as it is.
func bound(space search.Space, flag string, at map[string]float64) error {
	var wrong []string
	for _, n := range space.Bound() {
		v, given := at[n.Name]
		switch {
		case !given:
		case n.Of < 0 && v != n.Value:
			wrong = append(wrong, fmt.Sprintf("%s is fixed at %v in study.yaml, and %v is given", n.Name, n.Value, v))
		case n.Of >= 0:
			of := space.Coefficients[n.Of].Name
			if other, twice := at[of]; twice && other != v {
				wrong = append(wrong, fmt.Sprintf("%s and %s are tied in study.yaml, and %v and %v are given", of, n.Name, other, v))
			}
			at[of] = v
		}
	}
	if len(wrong) > 0 {
		return usage("", "%s: %s", flag, strings.Join(wrong, "; "))
	}
	return nil
}

// boundText is a line on what is fixed and tied, where anything is.
func boundText(space search.Space) string {
	if words := space.BoundWords(); words != "" {
		return "  " + words + "\n"
	}
	return ""
}

func coefficientNames(space search.Space) []string {
	numbers := space.Numbers()
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = n.Name
	}
	return out
}

func taskNames(tasks []study.Task) []string {
	out := make([]string, len(tasks))
	for i, t := range tasks {
		out[i] = t.Name
	}
	return out
}
