// Command bench lays Keytray beside a plain reverse proxy and the bare
// provider, in one run on one machine:
//
//	go run ./proxy/proxytest/bench -keytray ./keytray
//
// Each stands in a process of its own. Scenarios are run in turns, system by
// system and round by round, so that a machine that gets slower gets slower
// for all. What is compared is processor time per request; latencies are told
// beside it. Timings are single-machine facts, never asserted.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	role := flag.String("role", "", "internal: provider or proxy")
	to := flag.String("to", "", "internal: where the proxy leads")
	keytray := flag.String("keytray", "./keytray", "the program to measure")
	rounds := flag.Int("rounds", 5, "rounds of each scenario")
	scale := flag.Float64("scale", 1, "requests per round, as a factor")
	only := flag.String("only", "", "run only scenarios whose name contains this")
	pin := flag.Bool("pin", false, "with taskset: what is measured on one processor, load and provider on another")
	flag.Parse()
	var err error
	switch *role {
	case "provider":
		err = serveProvider()
	case "proxy":
		err = serveProxy(*to)
	default:
		err = run(*keytray, *rounds, *scale, *only, *pin)
	}
	if err != nil {
		log.Fatal("bench: ", err)
	}
}

func run(keytray string, rounds int, scale float64, only string, pin bool) error {
	t, err := startAll(keytray)
	if err != nil {
		return err
	}
	defer t.stop()
	if pin {
		if err := t.pin(); err != nil {
			return err
		}
	}
	for _, s := range scenarios(scale) {
		if !strings.Contains(s.name, only) {
			continue
		}
		r, err := measure(t, s, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.print(os.Stdout)
	}
	if only == "" {
		if err := crowd(t, os.Stdout); err != nil {
			return err
		}
	}
	return idle(t, keytray, os.Stdout)
}
