package excel

import (
	"sync"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// ahead reads rows in a goroutine of its own, in batches, so that unpacking and
// scanning a file and judging its values take place at the same time. The goroutine
// ends with the rows or when stop is called.
type ahead struct {
	full  chan *batch
	free  chan *batch
	quit  chan struct{}
	done  sync.WaitGroup
	now   *batch
	taken int
}

// batch is some rows, and what followed them.
type batch struct {
	rows []xlsx.Row
	size int // bytes of text
	err  error
	// cause is what the reader panicked with, nil if it did not. It goes on in the loop
	// that takes the rows, where the program may expect it.
	cause any
}

// The size of a batch: one of the two is reached.
const (
	batchRows  = 64
	batchBytes = 64 << 10
	batches    = 3
)

func readAhead(rows rowSource) *ahead {
	a := &ahead{full: make(chan *batch, batches), free: make(chan *batch, batches), quit: make(chan struct{})}
	for range batches {
		a.free <- &batch{rows: make([]xlsx.Row, 0, batchRows)}
	}
	a.done.Add(1)
	go a.read(rows)
	return a
}

func (a *ahead) read(rows rowSource) {
	defer a.done.Done()
	for {
		var b *batch
		select {
		case b = <-a.free:
		case <-a.quit:
			return
		}
		b.fill(rows)
		a.full <- b
		if b.err != nil || b.cause != nil {
			return
		}
	}
}

// fill reads rows up to the size of a batch.
func (b *batch) fill(rows rowSource) {
	defer func() { b.cause = recover() }()
	b.rows, b.size = b.rows[:0], 0
	for b.err == nil && len(b.rows) < batchRows && b.size < batchBytes {
		b.rows = b.rows[:len(b.rows)+1] // its cells' memory is used again
		row := &b.rows[len(b.rows)-1]
		if b.err = rows.Next(row); b.err != nil {
			b.rows = b.rows[:len(b.rows)-1]
			return
		}
		for _, c := range row.Cells {
			b.size += len(c.Text)
		}
	}
}

// Next gives the next row, whose cells are good until the next call.
func (a *ahead) Next(row *xlsx.Row) error {
	for a.now == nil || a.taken == len(a.now.rows) {
		if a.now != nil {
			if a.now.err != nil {
				return a.now.err
			}
			a.free <- a.now
		}
		a.now, a.taken = <-a.full, 0
		if a.now.cause != nil {
			panic(a.now.cause)
		}
	}
	*row = a.now.rows[a.taken]
	a.taken++
	return nil
}

// stop ends the goroutine and waits for it.
func (a *ahead) stop() {
	close(a.quit)
	a.done.Wait()
}
