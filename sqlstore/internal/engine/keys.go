package engine

import (
	"strconv"
	"unicode/utf8"
)

// key is a column of which few rows have the same value.
type key struct {
	column Column
	index  string
	long   bool   // the index has the beginning of the text
	where  string // the condition of the index; "" if it has all rows
	and    *oneOf // another column of the index, with the values that it may have; nil: any
}

// beginningLength is how many characters indexes have of texts that may be long.
const beginningLength = 64

// whereKeys limits the list to rows that have one of several values in one of the keys. The other
// conditions are those that the indexes check, too. Without values it adds nothing.
func (l *list) whereKeys(t *tx, values []any, others []condition, keys ...key) {
	if len(values) == 0 {
		return
	}
	var check condition
	var queries []condition
	for i, k := range keys {
		in := (&oneOf{k.column, values}).in(t)
		from, value, arg := t.driver.Values("d", k.column.Type, values)
		on := condition{k.column.Name + " = " + value, []any{arg}}
		if k.and != nil {
			second, value, arg := t.driver.Values("e", k.and.column.Type, k.and.values)
			from += " CROSS JOIN " + second
			on.text, on.args = on.text+" AND "+k.and.column.Name+" = "+value, append(on.args, arg)
		}
		if k.long {
			on.text += " AND " + cutText(k.column.Name) + " = " + cutText(value)
		}
		if k.where != "" {
			in.text, on.text = "("+in.text+" AND "+k.where+")", on.text+" AND "+k.where
		}
		for _, c := range others {
			on.text, on.args = on.text+" AND "+c.text, append(on.args, c.args...)
		}
		if i > 0 {
			in.text = " OR " + in.text
		}
		check.text, check.args = check.text+in.text, append(check.args, in.args...)
		queries = append(queries, condition{"SELECT n.* FROM " + from + t.driver.Join(l.table, "n", k.index, on.text), on.args})
	}
	check.text = "(" + check.text + ")"
	l.whereFew(check, queries...)
}

// whereMovementKeys limits the list to movements that have one of several values in a table of their
// keys. Without values it adds nothing.
func (l *list) whereMovementKeys(t *tx, keys movementKeys, values []any) {
	if len(values) == 0 {
		return
	}
	in := (&oneOf{keys.column, values}).in(t)
	check := condition{"id IN (SELECT movement_id FROM flussi." + keys.table + " WHERE " + in.text + ")", in.args}
	from, value, arg := t.driver.Values("d", keys.column.Type, values)
	l.whereFew(check, condition{"SELECT DISTINCT n.* FROM " + from + t.driver.Join(keys.table, "k", keys.index, keys.column.Name+" = "+value) +
		t.driver.Join(l.table, "n", "movements_by_id", "n.id = k.movement_id"), []any{arg}})
}

// cutText is an expression for the beginning of a text, as indexes have it.
func cutText(expression string) string {
	return "substr(" + expression + ", 1, " + strconv.Itoa(beginningLength) + ")"
}

// beginning returns the condition that a column begins with a text, which its index checks.
func beginning(column, text string) condition {
	first := []rune(text)
	first = first[:min(len(first), beginningLength)]
	c := condition{cutText(column) + " >= ?", []any{string(first)}}
	if end := following(first); end != "" {
		c.text, c.args = c.text+" AND "+cutText(column)+" < ?", append(c.args, end)
	}
	c.text, c.args = c.text+" AND substr("+column+", 1, ?) = ?", append(c.args, int64(utf8.RuneCountInString(text)), text)
	return c
}

// following returns the first text that is greater than all that begin with another one; "" if there
// is none.
func following(text []rune) string {
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case utf8.MaxRune:
			continue
		case 0xD7FF: // what follows is no character
			return string(text[:i]) + "\uE000"
		}
		return string(text[:i]) + string(text[i]+1)
	}
	return ""
}
