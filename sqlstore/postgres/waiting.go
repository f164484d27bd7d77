package postgres

import (
	"fmt"
	"strings"
	"unicode"
)

// describeHolder says who holds a lock that a write waited for, to programs and to operators.
func describeHolder(name, address, table string, seconds int64) (detail, reason string) {
	name = printable(name)
	detail = fmt.Sprintf("waited %s for table %s, which %s at %s has locked for %d s", maxWait, table, name, address, seconds)
	reason = fmt.Sprintf("L'archivio è occupato: da %s il programma «%s» (%s) sta registrando dati e non ha finito. Attendere che finisca, o chiuderlo, e riprovare.",
		italianSeconds(seconds), name, address)
	return detail, reason
}

func italianSeconds(n int64) string {
	if n == 1 {
		return "1 secondo"
	}
	return fmt.Sprintf("%d secondi", n)
}

// printable returns the name of a program without characters that a terminal would obey.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, name)
	if len([]rune(name)) > 40 {
		name = string([]rune(name)[:40])
	}
	return name
}
