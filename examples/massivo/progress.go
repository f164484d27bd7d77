package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/flussi-go/flussi/flow"
)

// progress returns what shows how a sending gets on: a bar for a person, and lines where
// nobody looks on.
func (p *program) progress() func(flow.Progress) {
	if p.draws {
		return drawn(p.errs)
	}
	return written(p.errs)
}

// drawn draws a bar.
func drawn(out io.Writer) func(flow.Progress) {
	var bar *progressbar.ProgressBar
	return func(now flow.Progress) {
		counts := now.Flow.Counts
		total := counts.Total() - counts.Disabled
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetWidth(30),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionShowDescriptionAtLineEnd(),
				progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "▕", BarEnd: "▏"}))
		}
		bar.Describe(strings.TrimPrefix(failures(counts.Failed)+pace(now), "; "))
		_ = bar.Set(counts.Sent + counts.Failed)
		if now.Done {
			_ = bar.Exit()
			fmt.Fprintln(out)
		}
	}
}

// written writes a line now and then.
func written(out io.Writer) func(flow.Progress) {
	const every = 10 * time.Second
	var last time.Duration = -every
	return func(now flow.Progress) {
		if now.Elapsed-last < every && !now.Done {
			return
		}
		last = now.Elapsed
		counts := now.Flow.Counts
		fmt.Fprintf(out, "%s inviate, %s in errore, %s da inviare, %s in corso%s\n",
			thousands(counts.Sent), thousands(counts.Failed), thousands(counts.Registered), thousands(counts.Sending), pace(now))
	}
}

// failures says how many notifications are in Errore, if any are.
func failures(failed int) string {
	if failed == 0 {
		return ""
	}
	return fmt.Sprintf("; %s in errore", thousands(failed))
}

// pace says how quick it is, and how long it will take.
func pace(now flow.Progress) string {
	s := ""
	if now.Rate > 0 {
		s = fmt.Sprintf("; %.0f al secondo", now.Rate)
	}
	if now.TimeLeft > 0 {
		s += "; ancora " + lasting(now.TimeLeft)
	}
	return s
}
