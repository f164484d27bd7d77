package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
)

const (
	trigram = 3   // how many characters the indexes for texts are made of
	samples = 100 // rows by which it is guessed how common trigrams are
	rare    = 6   // of them, what fewer have is rare
	terms   = 3   // that are looked for
)

// searchTable is the name of the index for the texts of a table.
func searchTable(of *table) string { return strings.TrimSuffix(of.name, "s") + "_search" }

// rarest returns the rarest trigrams of a text that the index has: only those that are rare, since
// to look for others costs a lot and helps little, or one that is not.
func (t *tx) rarest(ctx context.Context, in *table, text string) (parts []string, isRare bool, err error) {
	rows, err := t.sample(ctx, t, in)
	if err != nil {
		return nil, false, err
	}
	found := map[string]int{}
	runes := []rune(text)
	for i := range max(0, len(runes)-trigram+1) {
		if part := string(runes[i : i+trigram]); t.indexed(part) {
			found[part] = 0
		}
	}
	for part := range found {
		for _, row := range rows {
			if strings.Contains(row, part) {
				found[part]++
			}
		}
	}
	parts = slices.SortedFunc(maps.Keys(found), func(a, b string) int { return cmp.Or(found[a]-found[b], strings.Compare(a, b)) })
	many := 0
	for many < min(len(parts), terms) && found[parts[many]] < rare {
		many++
	}
	return parts[:min(len(parts), max(many, 1))], many > 0, nil
}

// texts returns the texts that a query gives.
func (t *tx) texts(ctx context.Context, query clause) ([]string, error) {
	var texts []string
	var text string
	err := t.query(ctx, query.text, query.args, []any{&text}, func() { texts = append(texts, text) })
	return texts, err
}
