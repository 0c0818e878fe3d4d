//go:build linux || darwin

package lmeval

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// maxItem is the largest number of an item, so that a slip costs no memory.
const maxItem = 1 << 22

// samples reads, for each of lm-eval's tasks, the items of its splits. No item belongs to both; either all tasks have
// items for the test split or none has.
func samples(v any) (map[string]map[evaluator.Split][]int, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected {TASK: {validation: ITEMS, test: ITEMS}} with lm-eval's tasks, found %v", v)
	}
	out := map[string]map[evaluator.Split][]int{}
	var errs []error
	var with, without []string
	for _, task := range slices.Sorted(maps.Keys(m)) {
		splits, err := splitItems(m[task])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", task, err))
			continue
		}
		if out[task] = splits; splits[evaluator.Test] != nil {
			with = append(with, task)
		} else {
			without = append(without, task)
		}
	}
	if len(with) > 0 && len(without) > 0 {
		errs = append(errs, fmt.Errorf("%s have no items for the test split, which %s have: give them some, or take it from all", strings.Join(without, ", "), strings.Join(with, ", ")))
	}
	return out, errors.Join(errs...)
}

// splitItems reads {validation: ITEMS, test: ITEMS}.
func splitItems(v any) (map[evaluator.Split][]int, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected {validation: '0-199', test: '200-399'}, found %v", v)
	}
	out := map[evaluator.Split][]int{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		split := evaluator.Split(k)
		if split != evaluator.Validation && split != evaluator.Test {
			return nil, fmt.Errorf("there is no split %q: expected validation and test", k)
		}
		list, err := items(m[k])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[split] = list
	}
	if out[evaluator.Validation] == nil {
		return nil, errors.New("validation is missing, which is what the search measures")
	}
	for _, i := range out[evaluator.Test] {
		if _, both := slices.BinarySearch(out[evaluator.Validation], i); both {
			return nil, fmt.Errorf("item %d is in both splits: what was chosen by would be measured again", i)
		}
	}
	return out, nil
}

var rangeRule = regexp.MustCompile(`^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$`)

// items reads numbers of items, from 0: a list of them, or text as '0-199, 210' and '0-1318:2', which is every second.
func items(v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok {
		text, err := option.Text(v)
		if err != nil {
			return nil, err
		}
		for _, part := range strings.Split(text, ",") {
			list = append(list, part)
		}
	}
	var out []int
	for _, x := range list {
		text, err := option.Text(x)
		if err != nil {
			return nil, err
		}
		m := rangeRule.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return nil, fmt.Errorf("expected numbers of items from 0 as '0-199, 210' or '0-1318:2', found %q", text)
		}
		from, to, step := number(m[1], 0), number(m[2], number(m[1], 0)), number(m[3], 1)
		if to < from || step < 1 || to > maxItem {
			return nil, fmt.Errorf("expected numbers of items from the smaller to the larger, at most %d, found %q", maxItem, text)
		}
		for i := from; i <= to; i += step {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	if once := slices.Compact(slices.Clone(out)); len(once) != len(out) {
		return nil, errors.New("an item is there twice")
	}
	return out, nil
}

func number(text string, without int) int {
	if text == "" {
		return without
	}
	n, _ := strconv.Atoi(text) // the rule sees to that
	return n
}
