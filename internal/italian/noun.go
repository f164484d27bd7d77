package italian

// Noun is a thing that operators read about. The other words of a sentence agree with it.
type Noun uint8

// The nouns.
const (
	Flow         Noun = iota // il flusso
	Notification             // la notifica
	Event                    // l'evento
	Notice                   // l'avviso
	Row                      // la riga
	Message                  // il messaggio
	Character                // il carattere
	Payment                  // il pagamento
	Movement                 // il movimento
)

// forms are the forms of a noun.
type forms struct {
	article, one, many string // the article with its space, if it has one
	feminine           bool
}

func (n Noun) forms() forms {
	switch n {
	case Flow:
		return forms{"il ", "flusso", "flussi", false}
	case Notification:
		return forms{"la ", "notifica", "notifiche", true}
	case Event:
		return forms{"l'", "evento", "eventi", false}
	case Notice:
		return forms{"l'", "avviso", "avvisi", false}
	case Row:
		return forms{"la ", "riga", "righe", true}
	case Message:
		return forms{"il ", "messaggio", "messaggi", false}
	case Payment:
		return forms{"il ", "pagamento", "pagamenti", false}
	case Movement:
		return forms{"il ", "movimento", "movimenti", false}
	}
	return forms{"il ", "carattere", "caratteri", false}
}

// The returns the noun with its article: "il flusso", "la notifica", "l'avviso".
func (n Noun) The() string { f := n.forms(); return f.article + f.one }

// Name returns the noun alone: "flusso".
func (n Noun) Name() string { return n.forms().one }

// Count writes a number and the noun: "1 notifica", "1.234 notifiche".
func (n Noun) Count(number int) string { f := n.forms(); return Count(number, f.one, f.many) }

// Agree ends a participle or an adjective as the noun and the number need it: of the stem
// "disabilitat", 1 flusso is "disabilitato", 1 notifica "disabilitata", 2 flussi
// "disabilitati", 2 notifiche "disabilitate".
func (n Noun) Agree(number int, stem string) string {
	if n.forms().feminine {
		return stem + Choose(number, "a", "e")
	}
	return stem + Choose(number, "o", "i")
}

// Object adds the pronoun for the noun to an infinitive without its last letter: of
// "riabilitar", 1 flusso is "riabilitarlo", 2 notifiche "riabilitarle".
func (n Noun) Object(number int, infinitive string) string {
	return n.Agree(number, infinitive+"l")
}
