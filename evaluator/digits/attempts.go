package digits

import (
	"math"
	"regexp"
	"strconv"

	"parfait/evaluator"
)

// A task with _pass and a number behind its name, such as rotated_pass32, is the share of the images that
// are read right at least once in so many attempts, where every attempt draws its answer from what the
// network believes. One attempt rewards a network that is sure; many reward one that keeps its doubts.
var manyAttempts = regexp.MustCompile(`^(.+)_pass([1-9][0-9]{0,3})$`)

// parseTask returns the task that is seen, and the attempts, 0 where the best answer counts.
func parseTask(name string) (task string, attempts int) {
	m := manyAttempts.FindStringSubmatch(name)
	if m == nil {
		return name, 0
	}
	attempts, _ = strconv.Atoi(m[2]) // four digits
	return m[1], attempts
}

// passing is the mean over the images of 1 − (1 − p)ᵏ, with p the probability of the right answer, and its
// standard error: nothing is drawn.
func (n *network) passing(s set, k int) evaluator.Metric {
	var (
		h            [hidden]float32
		logits       [classes]float32
		sum, squares float64
	)
	for i := range s.images {
		n.forward(&s.images[i], &h, &logits)
		miss, all := 1-probability(&logits, int(s.labels[i])), 1.0
		for range k {
			all = float64(all * miss)
		}
		sum += 1 - all
		squares += float64((1 - all) * (1 - all))
	}
	count := float64(len(s.images))
	mean := sum / count
	spread := max(squares/count-float64(mean*mean), 0.25/count) // never quite 0, as with Rate
	return evaluator.Metric{Value: mean, Stderr: math.Sqrt(spread / count)}
}

// probability is the softmax of a logit.
func probability(logits *[classes]float32, label int) float64 {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range logits {
		sum += exp(float64(v) - float64(top))
	}
	return exp(float64(logits[label])-float64(top)) / sum
}
