package restgateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// The format of [Client]. The ministry's format is not public: this one is our own, and
// openapi.yaml describes it. Only this file depends on it.

// route is the method and the path of an operation. Paths hold no personal data: only the school's
// code and IDs of this library.
type route struct {
	name   string // for errors and logs
	method string
	path   string
}

// The operations.
var (
	routePutEvent  = route{"transmit event", http.MethodPut, "/schools/{school}/events/{id}"}
	routeEvent     = route{"get event", http.MethodGet, "/schools/{school}/events/{id}"}
	routePutNotice = route{"transmit notice", http.MethodPut, "/schools/{school}/notices/{id}"}
	routeNotices   = route{"get notices", http.MethodPost, "/schools/{school}/notices/query"}
	routePDF       = route{"get notice PDF", http.MethodGet, "/schools/{school}/notices/{id}/pdf"}
	routeReceipt   = route{"get receipt", http.MethodGet, "/schools/{school}/notices/{id}/receipt"}

	routeEventSteps = map[pagoinrete.EventAction]route{
		pagoinrete.EventSubmit:  {"submit event", http.MethodPost, "/schools/{school}/events/{id}/submit"},
		pagoinrete.EventApprove: {"approve event", http.MethodPost, "/schools/{school}/events/{id}/approve"},
		pagoinrete.EventReject:  {"reject event", http.MethodPost, "/schools/{school}/events/{id}/reject"},
		pagoinrete.EventNotify:  {"notify event", http.MethodPost, "/schools/{school}/events/{id}/notify"},
		pagoinrete.EventDelete:  {"delete event", http.MethodPost, "/schools/{school}/events/{id}/delete"},
	}
	routeNoticeSteps = map[pagoinrete.NoticeAction]route{
		pagoinrete.NoticeCancel:      {"cancel notice", http.MethodPost, "/schools/{school}/notices/{id}/cancel"},
		pagoinrete.NoticePayManually: {"pay notice manually", http.MethodPost, "/schools/{school}/notices/{id}/pay-manually"},
		pagoinrete.NoticeRefund:      {"refund notice", http.MethodPost, "/schools/{school}/notices/{id}/refund"},
	}
)

// to returns the escaped path of the route for an event or a notice of a school.
func (r route) to(school string, id uuid.UUID) string {
	path := strings.Replace(r.path, "{school}", url.PathEscape(school), 1)
	return strings.Replace(path, "{id}", id.String(), 1)
}

// The headers, in canonical form.
const (
	headerKey   = "Authorization" // Bearer and the key
	headerUser  = "Sidi-User"     // who acts, percent-encoded
	headerRoles = "Sidi-Roles"    // of who acts: DS, DSGA, AA, separated by commas
	typePDF     = "application/pdf"
)

// actingHeader returns the headers that say who acts, without the roles that SIDI does not know.
func actingHeader(by flussi.Actor) http.Header {
	var roles []string
	for _, role := range []flussi.Role{flussi.Principal, flussi.AdminDirector, flussi.AdminAssistant} {
		if by.Has(role) {
			roles = append(roles, string(role))
		}
	}
	return http.Header{headerUser: {url.PathEscape(by.ID)}, headerRoles: {strings.Join(roles, ",")}}
}

// wireEvent is the transmission of an event.
type wireEvent struct {
	Kind          string           `json:"kind"`
	Name          string           `json:"name"`
	Causale       string           `json:"causale"`
	Category      string           `json:"category,omitempty"`
	SchoolYear    int              `json:"school_year"`
	FinancialYear int              `json:"financial_year"`
	Account       string           `json:"account"`
	Amount        int64            `json:"amount"`
	Flexible      bool             `json:"flexible"`
	Instalments   []wireInstalment `json:"instalments"`
	Binding       bool             `json:"binding"`
	Repeatable    bool             `json:"repeatable"`
}

// wireInstalment is an instalment of an event.
type wireInstalment struct {
	DueDate string `json:"due_date,omitempty"`
	Amount  int64  `json:"amount"`
}

// wireNotice is the transmission of a notice.
type wireNotice struct {
	Event      string         `json:"event"`
	Instalment int            `json:"instalment"`
	Debtor     wireDebtor     `json:"debtor"`
	Payer      string         `json:"payer,omitempty"`
	Amount     int64          `json:"amount"`
	Discount   int64          `json:"discount"`
	DueDate    string         `json:"due_date"`
	Transfers  []wireTransfer `json:"transfers,omitempty"`
}

// wireTransfer is the part of one beneficiary in a notice.
type wireTransfer struct {
	Beneficiary string `json:"beneficiary,omitempty"`
	Amount      int64  `json:"amount"`
}

// wireDebtor is the debtor of a notice.
type wireDebtor struct {
	FiscalCode string `json:"fiscal_code"`
	Kind       string `json:"kind"`
	Name       string `json:"name,omitempty"`
}

// wireReason is the reason of a rejection; empty for other steps.
type wireReason struct {
	Reason string `json:"reason,omitempty"`
}

// wireQuery asks for notices.
type wireQuery struct {
	IDs []uuid.UUID `json:"ids"`
}

// wireProof is a piece of evidence, in requests and replies.
type wireProof struct {
	Reference string `json:"reference"`
	Amount    int64  `json:"amount"`
	Date      string `json:"date"`
	By        string `json:"by,omitempty"`
}

// wireRemoteEvent is an event as Pago In Rete has it.
type wireRemoteEvent struct {
	ID        string `json:"id"`
	RemoteID  string `json:"remote_id"`
	State     string `json:"state"`
	Rejection string `json:"rejection"`
}

// wireRemoteNotice is a notice as Pago In Rete has it.
type wireRemoteNotice struct {
	ID              string       `json:"id"`
	RemoteID        string       `json:"remote_id"`
	Number          string       `json:"number"`
	State           string       `json:"state"`
	PayerRegistered *bool        `json:"payer_registered"`
	PayerLoggedIn   *bool        `json:"payer_logged_in"`
	Evidence        wireEvidence `json:"evidence"`
}

// wireEvidence is the evidence that a notice was paid.
type wireEvidence struct {
	Receipt    *wireProof `json:"receipt"`
	Settlement *wireProof `json:"settlement"`
	Movement   *wireProof `json:"movement"`
	Manual     *wireProof `json:"manual"`
	Refund     *wireProof `json:"refund"`
}

// wireNotices is the reply to a query.
type wireNotices struct {
	Notices []wireRemoteNotice `json:"notices"`
}

// wireReceipt is a receipt.
type wireReceipt struct {
	Notice    string `json:"notice"`
	Reference string `json:"reference"`
	Outcome   *int   `json:"outcome"`
	Amount    int64  `json:"amount"`
	Date      string `json:"date"`
	PSP       string `json:"psp"`
}

// The codes of the format.
var (
	wireKinds   = map[pagoinrete.EventKind]string{pagoinrete.Fee: "TASSA", pagoinrete.Donation: "EROGAZIONE_LIBERALE"}
	wireDebtors = map[pagoinrete.DebtorKind]string{pagoinrete.DebtorPupil: "ALUNNO", pagoinrete.DebtorStaff: "PERSONALE"}

	wireEventStates = map[string]pagoinrete.EventState{
		"SIMULATO":      pagoinrete.EventSimulated,
		"DA_APPROVARE":  pagoinrete.EventToApprove,
		"DA_NOTIFICARE": pagoinrete.EventToNotify,
		"RIFIUTATO":     pagoinrete.EventRejected,
		"NOTIFICATO":    pagoinrete.EventNotified,
		"CANCELLATO":    pagoinrete.EventDeleted,
	}
	wireNoticeStates = map[string]pagoinrete.NoticeState{
		"NON_NOTIFICATO":          pagoinrete.NoticeNotNotified,
		"NOTIFICATO":              pagoinrete.NoticeNotified,
		"RPT_INVIATA":             pagoinrete.NoticeAwaitingReceipt,
		"PAGATO_ONLINE":           pagoinrete.NoticePaidOnline,
		"PAGATO_MANUALMENTE":      pagoinrete.NoticePaidManually,
		"CONFERMATO":              pagoinrete.NoticeConfirmed,
		"RISCONTRATO":             pagoinrete.NoticeReconciled,
		"RISCONTRATO_MANUALMENTE": pagoinrete.NoticeReconciledManually,
		"ANNULLATO":               pagoinrete.NoticeCancelled,
		"RIMBORSATO":              pagoinrete.NoticeRefunded,
	}
)

func encodeEvent(e pagoinrete.Event) ([]byte, error) {
	w := wireEvent{
		Kind: wireKinds[e.Kind], Name: e.Name, Causale: e.Causale, Category: e.Category,
		SchoolYear: int(e.SchoolYear), FinancialYear: e.FinancialYear, Account: e.Account,
		Amount: int64(e.Amount), Flexible: e.Flexible, Instalments: []wireInstalment{}, Binding: e.Binding, Repeatable: e.Repeatable,
	}
	for _, part := range e.Instalments {
		w.Instalments = append(w.Instalments, wireInstalment{encodeTime(part.DueDate), int64(part.Amount)})
	}
	return json.Marshal(w)
}

func encodeNotice(n pagoinrete.Notice) ([]byte, error) {
	var transfers []wireTransfer
	for i, t := range n.Transfers {
		if t != (pagoinrete.Transfer{}) {
			transfers = append(transfers, make([]wireTransfer, i-len(transfers))...)
			transfers = append(transfers, wireTransfer{t.Beneficiary.String(), int64(t.Amount)})
		}
	}
	return json.Marshal(wireNotice{
		Event: n.EventID.String(), Instalment: n.Instalment,
		Debtor: wireDebtor{n.Debtor.Reveal(), wireDebtors[n.DebtorKind], n.DebtorName.Reveal()},
		Payer:  n.Payer.Reveal(), Amount: int64(n.Amount), Discount: int64(n.Discount), DueDate: encodeTime(n.DueDate),
		Transfers: transfers,
	})
}

func encodeReason(reason flussi.Text) ([]byte, error) {
	return json.Marshal(wireReason{reason.Reveal()})
}

// encodeProof encodes a proof, or an empty object if a step needs none.
func encodeProof(p pagoinrete.Proof) ([]byte, error) {
	if p.IsZero() {
		return []byte("{}"), nil
	}
	return json.Marshal(wireProof{p.Reference, int64(p.Amount), encodeTime(p.Date), p.By})
}

func encodeQuery(ids []uuid.UUID) ([]byte, error) { return json.Marshal(wireQuery{ids}) }

// encodeTime formats a time; "" for the zero time.
func encodeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Why a reply cannot be read, after "the reply". No text holds a value of the reply.
var (
	errForm   = errors.New("does not have the expected form")
	errOther  = errors.New("is about another event or notice")
	errState  = errors.New("has an unknown state")
	errNumber = errors.New("has an invalid notice number")
	errText   = errors.New("has a text that is missing, too long or invalid")
	errAmount = errors.New("has an impossible amount")
	errTime   = errors.New("has an impossible time")
	errEsito  = errors.New("has an unknown outcome")
)

// decodeEvent decodes the reply about an event.
func decodeEvent(body []byte, id uuid.UUID) (pagoinrete.RemoteEvent, error) {
	var w wireRemoteEvent
	if json.Unmarshal(body, &w) != nil {
		return pagoinrete.RemoteEvent{}, errForm
	}
	state, known := wireEventStates[w.State]
	switch {
	case w.ID != id.String():
		return pagoinrete.RemoteEvent{}, errOther
	case !known:
		return pagoinrete.RemoteEvent{}, errState
	case !isReference(w.RemoteID, true):
		return pagoinrete.RemoteEvent{}, errText
	}
	return pagoinrete.RemoteEvent{ID: id, RemoteID: w.RemoteID, State: state, Rejection: flussi.NewText(plainLines(w.Rejection))}, nil
}

// decodeNotice decodes the reply about a notice.
func decodeNotice(body []byte, id uuid.UUID) (pagoinrete.RemoteNotice, error) {
	var w wireRemoteNotice
	if json.Unmarshal(body, &w) != nil {
		return pagoinrete.RemoteNotice{}, errForm
	}
	if w.ID != id.String() {
		return pagoinrete.RemoteNotice{}, errOther
	}
	return w.notice(id)
}

// decodeNotices decodes the reply to a query: each notice must be one of the query, and occur once.
func decodeNotices(body []byte, ids []uuid.UUID) ([]pagoinrete.RemoteNotice, error) {
	var w wireNotices
	if json.Unmarshal(body, &w) != nil || w.Notices == nil {
		return nil, errForm
	}
	asked := make(map[string]uuid.UUID, len(ids))
	for _, id := range ids {
		asked[id.String()] = id
	}
	notices := make([]pagoinrete.RemoteNotice, 0, min(len(w.Notices), len(ids)))
	for _, one := range w.Notices {
		id, wanted := asked[one.ID]
		if !wanted {
			return nil, errOther
		}
		delete(asked, one.ID)
		notice, err := one.notice(id)
		if err != nil {
			return nil, err
		}
		notices = append(notices, notice)
	}
	return notices, nil
}

func (w wireRemoteNotice) notice(id uuid.UUID) (pagoinrete.RemoteNotice, error) {
	state, known := wireNoticeStates[w.State]
	number, err := flussi.ParseNoticeNumber(w.Number)
	switch {
	case w.PayerRegistered == nil || w.PayerLoggedIn == nil:
		return pagoinrete.RemoteNotice{}, errForm
	case !known:
		return pagoinrete.RemoteNotice{}, errState
	case err != nil || number.Check() != nil:
		return pagoinrete.RemoteNotice{}, errNumber
	case !isReference(w.RemoteID, true):
		return pagoinrete.RemoteNotice{}, errText
	}
	n := pagoinrete.RemoteNotice{
		ID: id, RemoteID: w.RemoteID, Number: number, State: state,
		PayerRegistered: *w.PayerRegistered, PayerLoggedIn: *w.PayerLoggedIn,
	}
	for _, pair := range []struct {
		from *wireProof
		to   *pagoinrete.Proof
	}{
		{w.Evidence.Receipt, &n.Evidence.Receipt}, {w.Evidence.Settlement, &n.Evidence.Settlement},
		{w.Evidence.Movement, &n.Evidence.Movement}, {w.Evidence.Manual, &n.Evidence.Manual}, {w.Evidence.Refund, &n.Evidence.Refund},
	} {
		if *pair.to, err = pair.from.proof(); err != nil {
			return pagoinrete.RemoteNotice{}, err
		}
	}
	return n, nil
}

// proof decodes a proof; the zero Proof if there is none.
func (w *wireProof) proof() (pagoinrete.Proof, error) {
	if w == nil {
		return pagoinrete.Proof{}, nil
	}
	date, err := decodeTime(w.Date)
	switch {
	case err != nil:
		return pagoinrete.Proof{}, err
	case !isReference(w.Reference, true) || !isReference(w.By, false):
		return pagoinrete.Proof{}, errText
	case flussi.Cents(w.Amount).Check() != nil:
		return pagoinrete.Proof{}, errAmount
	}
	return pagoinrete.Proof{Reference: w.Reference, Amount: flussi.Cents(w.Amount), Date: date, By: w.By}, nil
}

// decodeReceipt decodes the reply about the receipt of a notice.
func decodeReceipt(body []byte, id uuid.UUID) (pagoinrete.Receipt, error) {
	var w wireReceipt
	if json.Unmarshal(body, &w) != nil || w.Outcome == nil {
		return pagoinrete.Receipt{}, errForm
	}
	date, err := decodeTime(w.Date)
	outcome, amount := pagoinrete.ReceiptOutcome(*w.Outcome), flussi.Cents(w.Amount)
	switch {
	case w.Notice != id.String():
		return pagoinrete.Receipt{}, errOther
	case err != nil:
		return pagoinrete.Receipt{}, err
	case outcome < pagoinrete.ReceiptPaid || outcome > pagoinrete.ReceiptPartlyExpired:
		return pagoinrete.Receipt{}, errEsito
	case amount.Check() != nil && (amount != 0 || outcome == pagoinrete.ReceiptPaid):
		return pagoinrete.Receipt{}, errAmount
	case !isReference(w.Reference, true) || !isReference(w.PSP, false):
		return pagoinrete.Receipt{}, errText
	}
	return pagoinrete.Receipt{Reference: w.Reference, Outcome: outcome, Amount: amount, Date: date, PSP: w.PSP}, nil
}

// decodeTime decodes a time, to the microsecond as stores have it.
func decodeTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	t = t.UTC().Truncate(time.Microsecond)
	if err != nil || t.Year() < 2000 || t.Year() > 2999 {
		return time.Time{}, errTime
	}
	return t, nil
}

// isReference reports whether a text can be stored as a reference.
func isReference(text string, needed bool) bool {
	units := 0 // of UTF-16; making a flussi.Text for each reply would be slower
	for _, r := range text {
		units += max(utf16.RuneLen(r), 1)
	}
	return printable(text) && units <= pagoinrete.MaxReference && (!needed || strings.TrimSpace(text) != "")
}

// plainLines returns a text that a person wrote, with LF at the ends of lines and without other
// control characters.
func plainLines(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "�"))
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7F) {
			return ' '
		}
		return r
	}, text)
}

// printable reports whether a text is valid UTF-8 without control characters.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F })
}
