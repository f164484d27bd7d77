package fsm_test

import (
	"context"
	"testing"

	looplab "github.com/looplab/fsm"

	"github.com/flussi-go/flussi/fsm"
)

// benchDefinition has the size and the names of a real machine.
func benchDefinition() definition {
	return definition{
		Name:    "bench",
		Initial: "registered",
		States: []fsm.State[state]{
			{Name: "registered"}, {Name: "sending"}, {Name: "sent"}, {Name: "failed"},
		},
		Transitions: []transition{
			{Event: "edit", From: []state{"registered"}, To: "registered"},
			{Event: "claim", From: []state{"registered"}, To: "sending"},
			{Event: "release", From: []state{"sending"}, To: "registered"},
			{Event: "accept", From: []state{"sending"}, To: "sent"},
			{Event: "fail", From: []state{"sending"}, To: "failed"},
			{Event: "reject", From: []state{"sent"}, To: "failed"},
			{Event: "register", From: []state{"failed"}, To: "registered"},
			{Event: "confirm", From: []state{"failed"}, To: "sent"},
			{Event: "resend", From: []state{"failed"}, To: "registered"},
		},
	}
}

// The round that every benchmark goes: four steps, back to where it began.
var benchRound = []struct{ from, to, event string }{
	{"registered", "sending", "claim"},
	{"sending", "sent", "accept"},
	{"sent", "failed", "reject"},
	{"failed", "registered", "register"},
}

func looplabMachine(callbacks looplab.Callbacks) *looplab.FSM {
	var events looplab.Events
	for _, row := range benchDefinition().Transitions {
		events = append(events, looplab.EventDesc{Name: string(row.Event), Src: []string{string(row.From[0])}, Dst: string(row.To)})
	}
	return looplab.NewFSM("registered", events, callbacks)
}

// twoCallbacks are what the machine with two hooks calls, as looplab's callbacks.
func twoCallbacks(count *int) looplab.Callbacks {
	return looplab.Callbacks{
		"before_event": func(context.Context, *looplab.Event) { *count++ },
		"after_event":  func(context.Context, *looplab.Event) { *count++ },
	}
}

func BenchmarkNext(b *testing.B) {
	b.Run("flussi", func(b *testing.B) {
		m := fsm.MustNew(benchDefinition())
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			step := &benchRound[i&3]
			if to, err := m.Next(state(step.from), event(step.event)); err != nil || string(to) != step.to {
				b.Fatal(to, err)
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		type key struct{ state, event string }
		m := map[key]string{}
		for _, row := range benchDefinition().Transitions {
			m[key{string(row.From[0]), string(row.Event)}] = string(row.To)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			step := &benchRound[i&3]
			if to, ok := m[key{step.from, step.event}]; !ok || to != step.to {
				b.Fatal(to, ok)
			}
		}
	})
	b.Run("looplab_Can", func(b *testing.B) {
		m := looplabMachine(nil)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			step := &benchRound[i&3]
			m.SetState(step.from)
			if !m.Can(step.event) {
				b.Fatal(step)
			}
		}
	})
}

func BenchmarkFire(b *testing.B) {
	ctx := context.Background()
	flussi := func(m *fsm.Machine[state, event]) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				step := &benchRound[i&3]
				if to, err := m.Fire(ctx, state(step.from), event(step.event), anyone); err != nil || string(to) != step.to {
					b.Fatal(to, err)
				}
			}
		}
	}
	reused := func(callbacks looplab.Callbacks) func(*testing.B) {
		return func(b *testing.B) {
			m := looplabMachine(callbacks)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				step := &benchRound[i&3]
				m.SetState(step.from)
				if err := m.Event(ctx, step.event); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	var count int
	b.Run("plain/flussi", flussi(fsm.MustNew(benchDefinition())))
	b.Run("plain/looplab_reused", reused(looplab.Callbacks{"before_event": func(context.Context, *looplab.Event) {}}))
	b.Run("hooks/flussi", flussi(fsm.MustNew(benchDefinition()).With(fsm.Hooks[state, event]{
		Before: func(context.Context, fsm.Step[state, event]) error { count++; return nil },
		After:  func(context.Context, fsm.Step[state, event]) { count++ },
	})))
	b.Run("hooks/looplab_reused", reused(twoCallbacks(&count)))
	b.Run("hooks/looplab_new", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			step := &benchRound[i&3]
			m := looplabMachine(twoCallbacks(&count))
			m.SetState(step.from)
			if err := m.Event(ctx, step.event); err != nil {
				b.Fatal(err)
			}
		}
	})
}
