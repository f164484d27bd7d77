package main

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// BenchmarkKilled kills programs that send a flow, one after the other, at random moments after their
// first requests. It counts how many notifications a kill leaves with an unknown outcome: at the pace
// of a body with answers after 50 ms, and without a pace. The command for the whole set is
//
//	go test ./examples/massivo -run '^$' -bench Killed -benchtime 1x -kills 60 -timeout 30m
func BenchmarkKilled(b *testing.B) {
	body := quick()
	body.limit, body.latency, body.workers = 150, []time.Duration{50 * time.Millisecond}, 64
	for name, how := range map[string]struct {
		killingConfig
		requests int // before a kill, at most
	}{"at the pace": {body, 60}, "without a pace": {quick(), 300}} {
		for kind, database := range newDatabases {
			b.Run(name+"/"+kind, func(b *testing.B) {
				for b.Loop() {
					config := how.killingConfig
					config.messages = *kills * (how.requests + 100)
					k := newKilling(b, database(b), config)
					left, most := k.killOneByOne(b, how.requests)
					k.finish(b)
					unknown := len(k.count(b))
					b.ReportMetric(float64(k.killed), "kills")
					b.ReportMetric(float64(left)/float64(k.killed), "unknown/kill")
					b.ReportMetric(float64(most), "most-unknown")
					b.ReportMetric(float64(unknown), "unknown")
				}
			})
		}
	}
}

// killOneByOne kills programs that send the flow, one after the other. It returns how many
// notifications they left In invio, and the most that one of them left.
func (k *killing) killOneByOne(b *testing.B, requests int) (left, most int) {
	seen := map[uuid.UUID]bool{}
	for range *kills {
		p := k.send(b, k.flow)
		place := k.platform.requests.After(1 + k.random.IntN(requests))
		moment := time.Duration(k.random.Int64N(int64(50 * time.Millisecond)))
		select {
		case <-place:
			time.Sleep(moment)
		case <-p.Done:
			b.Fatalf("a program ended:\n%s", p.Output())
		}
		_ = p.Process.Kill()
		<-p.Done
		k.killed++
		its := 0
		for _, n := range k.notifications(b, flow.NotificationFilter{States: []flow.NotificationState{flow.NotificationSending}}) {
			if !seen[n.ID] {
				seen[n.ID] = true
				its++
			}
		}
		left, most = left+its, max(most, its)
	}
	return left, most
}
