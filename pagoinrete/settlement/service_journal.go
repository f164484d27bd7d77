package settlement

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// JournalReport counts the rows of a journal. Every row is in exactly one tally.
type JournalReport struct {
	Entered  Tally // new rows about sospesi in entrata
	Known    Tally // rows about sospesi in entrata that were stored before
	Other    Tally // rows about anything else, such as outgoing payments and orders, even if they regularise sospesi
	Unusable Tally // rows about sospesi in entrata with a blocking fault
}

// journalBatch is how many rows are stored together.
const journalBatch = 200

// ApplyJournal stores the sospesi in entrata of a journal, or of one page of it, and matches them.
// Rows that were stored before, from this or another journal, change nothing. If an order (reversale)
// regularises sospesi, ApplyJournal stores which ones, and the amounts. Rows are stored in groups:
// after an error or a crash, apply the file again. With an error, the report counts the rows that
// were read until then.
func (s *Service) ApplyJournal(ctx context.Context, by flussi.Actor, head paymentfile.Journal, movements iter.Seq2[paymentfile.Movement, error]) (JournalReport, error) {
	report, err := s.applyJournal(ctx, by, head, movements)
	return report, failed("apply journal", "", uuid.Nil, err)
}

func (s *Service) applyJournal(ctx context.Context, by flussi.Actor, head paymentfile.Journal, movements iter.Seq2[paymentfile.Movement, error]) (JournalReport, error) {
	var report JournalReport
	if err := s.admit(ctx, by, head.Body); err != nil {
		return report, err
	}
	step := step{ActionApply, by, "Giornale di cassa."}
	repeats := map[uuid.UUID]int{} // equal rows of this file
	var batch []journalRow
	store := func() error {
		var entered, known Tally
		err := s.write(ctx, head.Body, step, func(w *work) error {
			entered, known = Tally{}, Tally{}
			return w.enter(ctx, batch, &entered, &known)
		})
		batch = batch[:0]
		report.Entered.join(entered)
		report.Known.join(known)
		return err
	}
	for row, err := range movements {
		if err != nil {
			return report, err
		}
		rows := regularisedBy(head, row)
		if row.IsIncomingSuspense() {
			rows = []journalRow{newJournalRow(head, row)}
			if rows[0].entry.Unusable {
				report.Unusable.add(row.Net(), 1)
			}
		} else {
			report.Other.add(row.Net(), 1)
		}
		for _, r := range rows {
			key := derived("row", r.movement.ID.String(), r.entry.Key)
			r.entry.Key += "#" + strconv.Itoa(repeats[key])
			repeats[key]++
			if batch = append(batch, r); len(batch) == journalBatch {
				if err := store(); err != nil {
					return report, err
				}
			}
		}
	}
	if len(batch) > 0 {
		if err := store(); err != nil {
			return report, err
		}
	}
	return report, s.tell(ctx, by, head.Body)
}

// join adds another tally.
func (t *Tally) join(other Tally) {
	t.Number += other.Number
	t.Amount += other.Amount
}

// journalRow is a row of a journal with its movement.
type journalRow struct {
	movement Movement
	entry    Entry
	net      flussi.Cents
}

func newJournalRow(head paymentfile.Journal, row paymentfile.Movement) journalRow {
	key := entryKey(row)
	return journalRow{
		movement: newMovement(head, row, row.SuspenseNumber(), key),
		entry: Entry{
			Key: key, Operation: row.Operation, Amount: row.Amount, Date: row.Date.Time(), Journal: head.Key(),
			Causale: row.Causale, EndToEndID: row.EndToEndID, BankData: row.BankData, Unusable: !row.Usable(),
		},
		net: row.Net(),
	}
}

// newMovement returns the movement of the sospeso in a row, without entries. If the number of the
// sospeso is empty, the key of the row identifies the movement.
func newMovement(head paymentfile.Journal, row paymentfile.Movement, number, key string) Movement {
	of, year := number, head.Year
	if of == "" {
		of = "|" + key
	}
	if year == 0 { // the journal does not say
		year = row.Date.Year
	}
	return Movement{
		ID:   MovementID(head.Body, head.BankABI, year, row.Account, of),
		Body: head.Body, Bank: head.BankABI, Year: year, Account: row.Account, Number: number,
	}
}

// regularisedBy returns a row for each sospeso that an order regularises, or no longer regularises.
// Journals up to version 1.4 do not state the amounts of the sospesi. If there is one sospeso, its
// amount is that of the order; otherwise the amounts are not known.
func regularisedBy(head paymentfile.Journal, row paymentfile.Movement) []journalRow {
	if row.Document != paymentfile.DocumentIncomingOrder || row.Operation != paymentfile.OperationRegularised && row.Operation != paymentfile.OperationRestored {
		return nil
	}
	var rows []journalRow
	for _, s := range row.Suspense {
		amount := s.Amount
		if amount == 0 && len(row.Suspense) == 1 {
			amount = row.Amount
		}
		if s.Number == "" || amount <= 0 {
			continue
		}
		rows = append(rows, journalRow{
			movement: newMovement(head, row, s.Number, ""),
			entry: Entry{
				Key: strings.Join([]string{"order", entryKey(row), row.DocumentNumber, amount.String()}, "|"), Operation: row.Operation, Amount: amount,
				Date: row.Date.Time(), Journal: head.Key(), ByOrder: true, Unusable: !row.Usable(),
			},
		})
	}
	return rows
}

// enter adds rows to their movements, and matches the movements.
func (w *work) enter(ctx context.Context, rows []journalRow, entered, known *Tally) error {
	of := map[uuid.UUID][]journalRow{}
	for _, r := range rows {
		of[r.movement.ID] = append(of[r.movement.ID], r)
	}
	if _, err := w.readMovements(ctx, MovementFilter{IDs: slices.Collect(maps.Keys(of))}); err != nil {
		return err
	}
	t := touched{settlements: map[uuid.UUID]bool{}, movements: map[uuid.UUID]bool{}}
	for id, rows := range of {
		m, is := w.facts.movements[id]
		if !is {
			m = rows[0].movement
		}
		var entries []Entry
		for _, r := range rows {
			entries = append(entries, r.entry)
		}
		added, changed := m.enter(entries)
		for i, r := range rows {
			switch {
			case r.entry.Unusable, r.entry.ByOrder:
			case added[i]:
				entered.add(r.net, 1)
			default:
				known.add(r.net, 1)
			}
		}
		if changed {
			w.facts.movements[id], w.done[id] = m, true
			t.movements[id] = true
		}
	}
	if len(t.movements) == 0 {
		return nil
	}
	return w.rematch(ctx, t)
}
