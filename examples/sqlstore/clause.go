package sqlstore

import "strings"

// clause is a part of a statement, with its arguments.
type clause struct {
	text string
	args []any
}

// clauses are conditions of which all must hold.
type clauses []clause

// add adds a condition.
func (c *clauses) add(text string, args ...any) { *c = append(*c, clause{text, args}) }

// where returns the conditions with WHERE in front of them.
func (c clauses) where() clause {
	if len(c) == 0 {
		return clause{}
	}
	all := c.join(" AND ")
	all.text = " WHERE " + all.text
	return all
}

// join puts clauses one behind the other, with something between them.
func (c clauses) join(between string) clause {
	var all clause
	texts := make([]string, len(c))
	for i, one := range c {
		texts[i] = one.text
		all.args = append(all.args, one.args...)
	}
	all.text = strings.Join(texts, between)
	return all
}

// with puts something behind a clause.
func (c clause) with(text string, args ...any) clause {
	return clause{c.text + text, append(c.args[:len(c.args):len(c.args)], args...)}
}
