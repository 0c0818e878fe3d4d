package option

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator/internal/placeholder"
)

// devicesVariable says to CUDA's programs which GPUs there are.
const devicesVariable = "CUDA_VISIBLE_DEVICES"

// Devices are what CUDA_VISIBLE_DEVICES is in the slots, one after the other: a number, a name, or several with commas.
// env are the variables that are set anyway; parallel, where it is 0, becomes as many as there are devices.
func Devices(field *[]string, env *map[string]string) Option {
	read := func(v any) ([]string, error) {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return nil, fmt.Errorf("expected a list such as [0, 1, 2, 3], found %v", v)
		}
		return Words(list)
	}
	about := "GPUs, one a slot: each has its own `CUDA_VISIBLE_DEVICES`; `'0,1'` is two of them"
	return New("devices", about, "all are seen by all", Into(field, read)).Checked(func() (errs []error) {
		for i, d := range *field {
			switch {
			case d == "" || strings.ContainsAny(d, "= \t\n\x00{}"):
				errs = append(errs, fmt.Errorf("expected a number or a name of a GPU such as 0, found %q", d))
			case slices.Contains((*field)[:i], d):
				errs = append(errs, fmt.Errorf("%s is there twice: write each once; slots share them where there are more slots, as with parallel: %d", d, 2*len(*field)))
			}
		}
		if _, set := (*env)[devicesVariable]; set && len(*field) > 0 {
			errs = append(errs, errors.New("env sets "+devicesVariable+", too: leave one of the two out"))
		}
		return errs
	})
}

// Variables are env as KEY=value, with what its placeholders stand for, and the device of the slot among the values.
func Variables(env map[string]string, devices []string, values map[string]string) []string {
	set := withDevice(env, devices, values["slot"])
	var out []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		out = append(out, k+"="+placeholder.Expand(set[k], values))
	}
	return out
}

// withDevice is env with the device of a slot; more slots than devices share them in turn.
func withDevice(env map[string]string, devices []string, slot string) map[string]string {
	n, err := strconv.Atoi(slot)
	if len(devices) == 0 || err != nil {
		return env
	}
	env = maps.Clone(env)
	if env == nil {
		env = map[string]string{}
	}
	env[devicesVariable] = devices[n%len(devices)]
	return env
}
