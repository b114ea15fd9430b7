package chart

import "math"

// geometry says where bars stand.
type geometry struct {
	left, right float32 // the axis' ends
	slot        float32 // width that one bar has, with the gap
}

func place(left, right float32, bars int) geometry {
	g := geometry{left: left, right: right}
	if bars > 0 {
		g.slot = max(0, right-left) / float32(bars)
	}
	return g
}

// bar is the left edge and the width of a bar.
func (g geometry) bar(i int) (x, w float32) {
	w = min(max(g.slot*0.62, 1), 44)
	return g.left + float32(i)*g.slot + (g.slot-w)/2, w
}

// at is the bar at x, -1 outside.
func (g geometry) at(x float32, bars int) int {
	if g.slot <= 0 || x < g.left || x >= g.right {
		return -1
	}
	return min(int((x-g.left)/g.slot), bars-1)
}

// ticks are round values from 0 to at least top, at most five.
func ticks(top float64) []float64 {
	if !(top > 0) || math.IsInf(top, 1) {
		return []float64{0}
	}
	step := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step*m*4 >= top*0.999999 {
			step *= m
			break
		}
	}
	out := []float64{0}
	for v := step; out[len(out)-1] < top*0.999999 && len(out) < 6; v += step {
		out = append(out, v)
	}
	return out
}

// every says how many labels there are to one that is drawn, so that they do
// not touch.
func every(widest, slot float32) int {
	if slot <= 0 {
		return 1
	}
	return max(1, int(math.Ceil(float64((widest+6)/slot))))
}
