package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// system is one of the three that answer.
type system struct {
	name    string
	process *process
	url     string
	body    []byte
	client  *http.Client

	timings []timing
	cpu     []float64 // seconds per request, by round
	rate    []float64
}

// result is a scenario's.
type result struct {
	scenario
	systems []*system // provider, proxy, keytray
	memory  int64     // of Keytray under this load, bytes
}

func measure(t *parts, s scenario, rounds int) (result, error) {
	client := func() *http.Client {
		return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true, Proxy: nil}}
	}
	r := result{scenario: s, systems: []*system{
		{name: "provider", process: t.provider, url: t.provider.url + s.path, body: s.body(s.path, "m"), client: client()},
		{name: "proxy", process: t.proxy, url: t.proxy.url + s.path, body: s.body(s.path, "m"), client: client()},
		{name: "keytray", process: t.keytray, url: t.keytray.url + s.at, body: s.body(s.at, s.model), client: client()},
	}}
	for round := range rounds + 1 { // the first only warms up
		for _, x := range r.systems {
			before := cpu(x.process)
			ts, took, err := s.round(x.url, x.body, x.client)
			if err != nil {
				return r, fmt.Errorf("%s: %w", x.name, err)
			}
			if round == 0 {
				continue
			}
			x.timings = append(x.timings, ts...)
			x.cpu = append(x.cpu, (cpu(x.process)-before)/float64(len(ts)))
			x.rate = append(x.rate, float64(len(ts))/took.Seconds())
		}
		r.memory = max(r.memory, resident(t.keytray))
	}
	return r, nil
}

func (r result) print(w io.Writer) {
	provider, proxy, keytray := r.systems[0], r.systems[1], r.systems[2]
	ratios := make([]float64, len(keytray.cpu))
	for i := range ratios {
		ratios[i] = keytray.cpu[i] / proxy.cpu[i]
	}
	fmt.Fprintf(w, "\n%s: CPU per request %.2f times the reverse proxy's (%.2f to %.2f; goal %.1f)\n",
		r.name, median(ratios), slices.Min(ratios), slices.Max(ratios), r.goal)
	fmt.Fprintf(w, "  %-9s %10s %12s %12s %12s %12s\n", "", "req/s", "CPU/req", "p50", "p99", "first frame")
	whole := func(t timing) time.Duration { return t.whole }
	first := func(t timing) time.Duration { return t.first }
	for _, x := range r.systems {
		fmt.Fprintf(w, "  %-9s %10.0f %12s %12s %12s %12s\n", x.name, median(x.rate), micros(median(x.cpu)),
			short(at(x.timings, .5, whole)), short(at(x.timings, .99, whole)), short(at(x.timings, .5, first)))
	}
	add := func(x *system, q float64) time.Duration {
		return at(x.timings, q, whole) - at(provider.timings, q, whole)
	}
	fmt.Fprintf(w, "  added: proxy p50 %s p99 %s, keytray p50 %s p99 %s; keytray holds %d MB\n",
		short(add(proxy, .5)), short(add(proxy, .99)), short(add(keytray, .5)), short(add(keytray, .99)), r.memory>>20)
}

// crowd tells what Keytray holds while 500 streams are open at once.
func crowd(t *parts, w io.Writer) error {
	s := scenario{name: "500 paced streams", workers: 500, requests: 500, stream: true, prompt: 200, model: "paced/m"}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500, DisableCompression: true, Proxy: nil}}
	done := make(chan error, 1)
	go func() {
		_, _, err := s.round(t.keytray.url+chat, s.body(chat, s.model), client)
		done <- err
	}()
	most := int64(0)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			fmt.Fprintf(w, "\n500 paced streams at once: keytray holds %d MB at most\n", most>>20)
			return err
		case <-tick.C:
			most = max(most, resident(t.keytray))
		}
	}
}

// settled is how long a Keytray is left alone until what it holds is told.
const settled = 8 * time.Second

// idle tells how soon a fresh Keytray is ready and what it holds doing nothing.
func idle(t *parts, keytray string, w io.Writer) error {
	home, err := os.MkdirTemp("", "keytray-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	ready := make([]float64, 0, 5)
	var holds int64
	for range cap(ready) {
		begin := time.Now()
		p, err := start(serveCommand(keytray, home))
		if err != nil {
			return err
		}
		ready = append(ready, time.Since(begin).Seconds())
		if len(ready) == cap(ready) {
			<-time.After(settled)
		}
		holds = resident(p)
		p.stop()
	}
	fmt.Fprintf(w, "\nready in %.0f ms (median of 5); idle %.1f MB; after the load above %.1f MB\n",
		median(ready)*1000, float64(holds)/(1<<20), float64(resident(t.keytray))/(1<<20))
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

func micros(s float64) string      { return fmt.Sprintf("%.0f µs", s*1e6) }
func short(d time.Duration) string { return d.Round(time.Microsecond).String() }
func proc(p *process, f string) []byte {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, f))
	return b
}

// cpu is the processor time that a process has used, in seconds; 0 where there
// is no /proc.
func cpu(p *process) float64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	var sum float64
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	for _, t := range tasks {
		// Nanoseconds on a processor: stat counts in hundredths of a second.
		f := strings.Fields(string(proc(p, "task/"+t.Name()+"/schedstat")))
		if len(f) > 0 {
			ns, _ := strconv.ParseFloat(f[0], 64)
			sum += ns / 1e9
		}
	}
	return sum
}

// resident is the memory that a process holds, in bytes.
func resident(p *process) int64 {
	for _, line := range strings.Split(string(proc(p, "status")), "\n") {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
