package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// follow shows the progress of a flow, until end is called with the flow at its end.
func (s *session) follow(ctx context.Context, id uuid.UUID) (end func(flow.Flow)) {
	show := s.progress()
	// The progress is also shown after Ctrl-C, until the messages under way have outcomes.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() {
		for now, err := range s.Watch(ctx, s.by, id) {
			if err == nil && !now.Done {
				show(now)
			}
		}
	})
	return func(f flow.Flow) {
		cancel()
		watching.Wait()
		show(flow.Progress{Flow: f, Done: true})
	}
}

// progress returns a function that shows the progress of a sending: as a bar on a terminal, and as
// lines otherwise.
func (p *program) progress() func(flow.Progress) {
	if p.draws {
		return drawn(cli.Drawing(p.errs), cmp.Or(p.barWidth, 80))
	}
	return written(p.errs)
}

// drawn draws a bar on a line of so many characters.
func drawn(out io.Writer, width int) func(flow.Progress) {
	var bar *progressbar.ProgressBar
	var room int // for what stands behind the bar
	return func(now flow.Progress) {
		counts := now.Flow.Counts
		total := counts.Total() - counts.Disabled
		if bar == nil {
			longest := len(italian.Number(total) + " in errore; 30 al secondo; ancora 59 min 59 s")
			rest := width - len(fmt.Sprintf(" 100%% || (%d/%d)  ", total, total))
			length := min(30, max(rest-longest, 10))
			room = rest - length
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(length),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionShowDescriptionAtLineEnd(),
				progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "▕", BarEnd: "▏"}))
		}
		bar.Describe(behind(now, room))
		_ = bar.Set(counts.Sent + counts.Failed)
		if now.Done {
			_ = bar.Exit()
			fmt.Fprintln(out)
		}
	}
}

// behind is what stands behind a bar: as much as there is room for.
func behind(now flow.Progress, room int) string {
	failed, left := failures(now.Flow.Counts.Failed), remaining(now)
	for _, s := range []string{failed + rate(now) + left, failed + left, failed} {
		if s = strings.TrimPrefix(s, "; "); utf8.RuneCountInString(s) <= room {
			return s
		}
	}
	return ""
}

// written writes a line now and then.
func written(out io.Writer) func(flow.Progress) {
	const every = 10 * time.Second
	var last time.Time
	return func(now flow.Progress) {
		if time.Since(last) < every && !now.Done {
			return
		}
		last = time.Now()
		counts := now.Flow.Counts
		fmt.Fprintf(out, "%s inviate, %s in errore, %s da inviare, %s in corso%s\n",
			italian.Number(counts.Sent), italian.Number(counts.Failed), italian.Number(counts.Registered), italian.Number(counts.Sending), pace(now))
	}
}

// failures says how many notifications are in Errore, if any are.
func failures(failed int) string {
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("; %s in errore", italian.Number(failed))
}

// pace says how quick it is, and how long it will take.
func pace(now flow.Progress) string { return rate(now) + remaining(now) }

func rate(now flow.Progress) string {
	if now.Rate <= 0 {
		return ""
	}
	return fmt.Sprintf("; %.0f al secondo", now.Rate)
}

func remaining(now flow.Progress) string {
	if now.TimeLeft <= 0 {
		return ""
	}
	return "; ancora " + lasting(now.TimeLeft)
}
