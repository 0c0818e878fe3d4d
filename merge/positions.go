package merge

import "strings"

// positionKeys are the entries of a configuration that decide what a position is. Where one is left out transformers takes the
// default of the model's type, so that leaving it out is as much as saying something else.
var positionKeys = map[string]func(positions) string{
	"rope_theta":              func(p positions) string { return p.theta },
	"max_position_embeddings": func(p positions) string { return p.most },
	"sliding_window":          func(p positions) string { return p.window },
	"partial_rotary_factor":   func(p positions) string { return p.partial },
	"rope_scaling":            func(positions) string { return "null" },
}

// positions are defaults, as JSON.
type positions struct{ theta, most, window, partial string }

// positionDefaults are those of transformers 5.24 by model_type. Types that are not here have defaults that are not known.
var positionDefaults = map[string]positions{
	"cohere":          {"500000", "8192", "null", "1"},
	"cohere2":         {"10000", "8192", "4096", "1"},
	"deepseek_v2":     {"10000", "2048", "null", "1"},
	"deepseek_v3":     {"10000", "4096", "null", "1"},
	"falcon":          {"10000", "2048", "null", "1"},
	"gemma":           {"10000", "8192", "null", "1"},
	"gemma2":          {"10000", "8192", "4096", "1"},
	"gemma3_text":     {"1000000", "131072", "4096", "1"},
	"glm":             {"10000", "131072", "null", "0.5"},
	"glm4":            {"10000", "131072", "null", "0.5"},
	"granite":         {"10000", "2048", "null", "1"},
	"granitemoe":      {"10000", "2048", "null", "1"},
	"llama":           {"10000", "2048", "null", "1"},
	"ministral":       {"10000", "131072", "4096", "1"},
	"mistral":         {"10000", "131072", "4096", "1"},
	"mixtral":         {"1000000", "131072", "null", "1"},
	"nemotron":        {"10000", "4096", "null", "0.5"},
	"olmo":            {"10000", "2048", "null", "1"},
	"olmo2":           {"10000", "2048", "null", "1"},
	"persimmon":       {"10000", "16384", "null", "0.5"},
	"phi":             {"10000", "2048", "null", "0.5"},
	"phi3":            {"10000", "4096", "null", "1"},
	"qwen2":           {"10000", "32768", "null", "1"},
	"qwen2_5_vl_text": {"1000000", "32768", "null", "1"},
	"qwen2_moe":       {"10000", "32768", "null", "1"},
	"qwen2_vl_text":   {"1000000", "32768", "null", "1"},
	"qwen3":           {"10000", "32768", "null", "1"},
	"qwen3_moe":       {"10000", "32768", "null", "1"},
	"smollm3":         {"2000000", "32768", "null", "1"},
	"stablelm":        {"10000", "4096", "null", "0.25"},
	"starcoder2":      {"10000", "4096", "null", "1"},
}

// defaultLeftOut stands for a default that is not known.
const defaultLeftOut = "transformers' default"

// leftOut is what an entry means that the configuration has not, as JSON, or defaultLeftOut; "" where that is not known or
// nothing. The key may have the names of nested configurations before it.
func (c *modelConfig) leftOut(key string) string {
	if c == nil {
		return ""
	}
	parts := strings.Split(key, ".")
	last, part := parts[len(parts)-1], c.top
	of := positionKeys[last]
	for _, name := range parts[:len(parts)-1] {
		inner, ok := part[name].(map[string]any)
		if !ok {
			return ""
		}
		part = inner
	}
	kind, _ := part["model_type"].(string)
	defaults, known := positionDefaults[kind]
	switch {
	case of == nil:
		return ""
	case known:
		return of(defaults)
	case last == "rope_scaling" || last == "sliding_window":
		return "null"
	}
	return defaultLeftOut
}
