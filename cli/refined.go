package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"parfait/explore"
	"parfait/study"
)

// refinedAround are the points of the front around one, said as its number or as knee, and its index; none where it
// is "". why says why there are none beside it.
func refinedAround(ctx context.Context, an *study.Analysis, around string, want explore.Preference) (at int, points []study.FrontPoint, why string, err error) {
	switch n, err := strconv.Atoi(around); {
	case around == "":
		return -1, nil, "", nil
	case len(an.Front) == 0:
		return -1, nil, "", usage("measure more", "--around: there is nothing to refine: there is no point where the surrogates may be believed")
	case around == "knee" && an.Knee >= 0:
		at = an.Knee
	case want.Beats != nil:
		return -1, nil, "", usage("", "--around: with --beats it is another front, whose points have no numbers; expected knee, found %q", around)
	case err != nil || n < 1 || n > len(an.Front):
		return -1, nil, "", usage("", "--around: expected knee or a point from 1 to %d, found %q", len(an.Front), around)
	default:
		at = n - 1
	}
	points, err = want.Refine(ctx, an, an.Front[at].X)
	if err != nil || len(points) > 0 {
		return at, points, "", err
	}
	if why = explore.Unkept(an); want.AtLeast != nil || want.Beats != nil {
		why, err = want.Missing(ctx, an)
	}
	if why == "" {
		why = "nothing so near keeps the floors and is dominated by nothing else"
	}
	return at, nil, why, err
}

// printUnder prints at most n points of the front under floors: the named ones, and others evenly between.
func (a *app) printUnder(w io.Writer, an *study.Analysis, n int) error {
	out, names := a.frontSheet(an), frontNames(an)
	for _, i := range evenly(an, n) {
		p := an.Front[i]
		out.add(frontRow(an, "", p, pointNotes(an, p, names[i]))...)
		if i == an.Knee {
			out.mark()
		}
	}
	title := count(len(an.Front), "point") + " of the front under these floors"
	if len(out.rows) < len(an.Front) {
		title += fmt.Sprintf(", %d shown", len(out.rows))
	}
	_, err := fmt.Fprintf(w, "%s; predict, pick and export take the same flags, or coefficients: --at\n%s", title, out)
	return err
}

// pointsJSON are points without numbers.
func pointsJSON(an *study.Analysis, points []study.FrontPoint) []pointJSON {
	var out []pointJSON
	for _, p := range points {
		out = append(out, onFrontOf(an, p))
	}
	return out
}

// printRefined prints the points around point at, which stands first; numbered where it has a number.
func (a *app) printRefined(w io.Writer, an *study.Analysis, numbered bool, at int, points []study.FrontPoint, why string) error {
	out := a.frontSheet(an)
	number, name := strconv.Itoa(at+1), "point "+strconv.Itoa(at+1)
	if !numbered {
		number, name = "", "the knee"
	}
	out.add(frontRow(an, number, an.Front[at], pointNotes(an, an.Front[at], ""))...)
	out.mark()
	for _, p := range points {
		out.add(frontRow(an, "", p, pointNotes(an, p, ""))...)
	}
	_, err := fmt.Fprintf(w, "%s of the front around %s, no farther than its intervals are wide; predict, pick and export take their coefficients: --at\n%s", count(len(points), "point"), name, out)
	if err == nil && why != "" {
		_, err = fmt.Fprintln(w, "  ! "+why)
	}
	return err
}
