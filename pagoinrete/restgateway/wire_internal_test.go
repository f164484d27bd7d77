package restgateway

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/openapitest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func openAPI(t *testing.T) *openapitest.Document {
	t.Helper()
	document := must.Get(openapitest.Load("openapi.yaml"))(t)
	return document
}

func TestTheDocumentHasTheOperationsOfTheFormatAndNoOthers(t *testing.T) {
	routes := []route{routePutEvent, routeEvent, routePutNotice, routeNotices, routePDF, routeReceipt}
	routes = slices.AppendSeq(routes, maps.Values(routeEventSteps))
	routes = slices.AppendSeq(routes, maps.Values(routeNoticeSteps))
	var ours []openapitest.Operation
	for _, r := range routes {
		ours = append(ours, openapitest.Operation{Name: r.name, Method: r.method, Path: r.path})
	}
	assert.ElementsMatch(t, openAPI(t).Operations(), ours)
}

// Every field of every object, both ways, and whether it may be missing in what is sent.
func TestTheDocumentHasTheFieldsOfTheFormatAndNoOthers(t *testing.T) {
	document := openAPI(t)
	formats := map[string]any{
		"Event": wireEvent{}, "Instalment": wireInstalment{}, "Notice": wireNotice{}, "Debtor": wireDebtor{}, "Transfer": wireTransfer{}, "Reason": wireReason{},
		"Query": wireQuery{}, "Proof": wireProof{}, "RemoteEvent": wireRemoteEvent{}, "RemoteNotice": wireRemoteNotice{},
		"Evidence": wireEvidence{}, "Notices": wireNotices{}, "Receipt": wireReceipt{},
	}
	sent := []string{"Event", "Instalment", "Notice", "Debtor", "Transfer", "Reason", "Query", "Proof"}
	others := []string{"FiscalCode", "Nothing", "Problem"}
	assert.ElementsMatch(t, document.Schemas(), append(slices.Collect(maps.Keys(formats)), others...))
	for name, format := range formats {
		required := document.Properties(name)
		var fields []string
		typ := reflect.TypeOf(format)
		for i := range typ.NumField() {
			field, option, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			fields = append(fields, field)
			if slices.Contains(sent, name) {
				assert.Equal(t, required[field], option != "omitempty", "%s.%s", name, field)
			}
		}
		assert.ElementsMatch(t, slices.Collect(maps.Keys(required)), fields, name)
	}
}

func TestTheDocumentHasTheWordsOfTheFormatAndNoOthers(t *testing.T) {
	document := openAPI(t)
	assert.Equal(t, slices.Sorted(maps.Keys(wireEventStates)), document.Enum("RemoteEvent", "state"))
	assert.Equal(t, slices.Sorted(maps.Keys(wireNoticeStates)), document.Enum("RemoteNotice", "state"))
	assert.Equal(t, slices.Sorted(maps.Values(wireKinds)), document.Enum("Event", "kind"))
	assert.Equal(t, slices.Sorted(maps.Values(wireDebtors)), document.Enum("Debtor", "kind"))
	// And they are all states of the machines but those that Pago In Rete does not know.
	states := slices.AppendSeq([]pagoinrete.EventState{pagoinrete.EventBlank, pagoinrete.EventNotTransmitted}, maps.Values(wireEventStates))
	for _, state := range pagoinrete.EventMachine().States() {
		assert.Contains(t, states, state.Name)
	}
	notices := slices.AppendSeq([]pagoinrete.NoticeState{pagoinrete.NoticeNotLinked}, maps.Values(wireNoticeStates))
	for _, state := range pagoinrete.NoticeMachine().States() {
		assert.Contains(t, notices, state.Name)
	}
}

func TestPathsHoldIDsOnly(t *testing.T) {
	id := uuid.MustParse("0194fdc2-fa2f-4cc0-81d3-ff12045b73c8")
	assert.Equal(t, "/schools/RMIC8GA002/notices/0194fdc2-fa2f-4cc0-81d3-ff12045b73c8/pdf", routePDF.to("RMIC8GA002", id))
	assert.Equal(t, "/schools/RMIC8GA002/notices/query", routeNotices.to("RMIC8GA002", uuid.Nil))
}

const (
	goodEvent   = `{"id":"ID","remote_id":"EV-1","state":"RIFIUTATO","rejection":"Manca"}`
	goodProof   = `{"reference":"RT-1","amount":9000,"date":"2026-11-28T10:11:12.1234567+01:00","by":"dsga"}`
	goodNotice  = `{"id":"ID","remote_id":"AV-1","number":"301005100001400678","state":"PAGATO_ONLINE","payer_registered":true,"payer_logged_in":false,"evidence":{"receipt":` + goodProof + `}}`
	goodReceipt = `{"notice":"ID","reference":"RT-1","outcome":0,"amount":9000,"date":"2026-11-28T10:11:12Z","psp":"Banca"}`
)

var wireID = uuid.MustParse("0194fdc2-fa2f-4cc0-81d3-ff12045b73c8")

func second[T any](_ T, err error) error { return err }

// about puts the ID into a reply, and changes something of it.
func about(reply, from, to string) []byte {
	return []byte(strings.ReplaceAll(strings.Replace(reply, from, to, 1), `"ID"`, `"`+wireID.String()+`"`))
}

func TestWhatAReplySays(t *testing.T) {
	e := must.Get(decodeEvent(about(goodEvent, "", ""), wireID))(t)
	assert.Equal(t, pagoinrete.RemoteEvent{ID: wireID, RemoteID: "EV-1", State: pagoinrete.EventRejected, Rejection: flussi.NewText("Manca")}, e)
	e = must.Get(decodeEvent(about(goodEvent, `"Manca"`, `"Manca la quota.\r\nManca\tla scadenza.\rE\u0000 il conto."`), wireID))(t)
	assert.Equal(t, "Manca la quota.\nManca la scadenza.\nE  il conto.", e.Rejection.Reveal(), "the lines remain")
	n := must.Get(decodeNotice(about(goodNotice, "", ""), wireID))(t)
	number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	assert.Equal(t, pagoinrete.RemoteNotice{
		ID: wireID, RemoteID: "AV-1", Number: number, State: pagoinrete.NoticePaidOnline, PayerRegistered: true,
		Evidence: pagoinrete.Evidence{Receipt: pagoinrete.Proof{Reference: "RT-1", Amount: 9000, Date: time.Date(2026, 11, 28, 9, 11, 12, 123456000, time.UTC), By: "dsga"}},
	}, n)
	r := must.Get(decodeReceipt(about(goodReceipt, "", ""), wireID))(t)
	assert.Equal(t, pagoinrete.Receipt{Reference: "RT-1", Outcome: pagoinrete.ReceiptPaid, Amount: 9000, Date: time.Date(2026, 11, 28, 10, 11, 12, 0, time.UTC), PSP: "Banca"}, r)
	all := must.Get(decodeNotices(about(`{"notices":[`+goodNotice+`]}`, "", ""), []uuid.UUID{uuid.New(), wireID}))(t)
	assert.Equal(t, []pagoinrete.RemoteNotice{n}, all)
	all = must.Get(decodeNotices([]byte(`{"notices":[]}`), []uuid.UUID{wireID}))(t)
	assert.Empty(t, all)
}

func TestWhatCannotBeIsNotTrusted(t *testing.T) {
	event := func(body []byte) error { return second(decodeEvent(body, wireID)) }
	notice := func(body []byte) error { return second(decodeNotice(body, wireID)) }
	notices := func(body []byte) error { return second(decodeNotices(body, []uuid.UUID{wireID})) }
	receipt := func(body []byte) error { return second(decodeReceipt(body, wireID)) }
	long := strings.Repeat("x", pagoinrete.MaxReference+1)
	for _, test := range []struct {
		decode   func([]byte) error
		good     string
		from, to string
		want     error
	}{
		{event, goodEvent, `"state"`, `"stato"`, errState},
		{event, goodEvent, `"RIFIUTATO"`, `"rifiutato"`, errState},
		{event, goodEvent, `"RIFIUTATO"`, `"PAGATO_ONLINE"`, errState},
		{event, goodEvent, `"RIFIUTATO"`, `7`, errForm},
		{event, goodEvent, `"ID"`, `"0194fdc2-fa2f-4cc0-81d3-ff12045b73c9"`, errOther},
		{event, goodEvent, `"ID"`, `null`, errOther},
		{event, goodEvent, `EV-1`, ``, errText},
		{event, goodEvent, `EV-1`, `EV\u0000`, errText},
		{event, goodEvent, `EV-1`, long, errText},
		{event, goodEvent, `}`, ``, errForm},
		{event, goodEvent, `}`, `}{}`, errForm},
		{notice, goodNotice, `301005100001400678`, `301005100001400679`, errNumber},
		{notice, goodNotice, `301005100001400678`, `30100510000140067`, errNumber},
		{notice, goodNotice, `301005100001400678`, ``, errNumber},
		{notice, goodNotice, `"301005100001400678"`, `301005100001400678`, errForm},
		{notice, goodNotice, `"PAGATO_ONLINE"`, `"PAGATO"`, errState},
		{notice, goodNotice, `"payer_registered":true,`, ``, errForm},
		{notice, goodNotice, `"payer_logged_in":false,`, ``, errForm},
		{notice, goodNotice, `"payer_logged_in":false`, `"payer_logged_in":"false"`, errForm},
		{notice, goodNotice, `9000`, `0`, errAmount},
		{notice, goodNotice, `9000`, `-1`, errAmount},
		{notice, goodNotice, `9000`, `10000000000`, errAmount},
		{notice, goodNotice, `9000`, `90.5`, errForm},
		{notice, goodNotice, `2026-11`, `2026-13`, errTime},
		{notice, goodNotice, `2026-11`, `0001-11`, errTime},
		{notice, goodNotice, `RT-1`, ` `, errText},
		{notice, goodNotice, `dsga`, `ds\nga`, errText},
		{notice, goodNotice, `"ID"`, `"x"`, errOther},
		{notices, `{"notices":[` + goodNotice + `]}`, `]`, `,` + goodNotice + `]`, errOther},
		{notices, `{"notices":[` + goodNotice + `]}`, `"ID"`, `"0194fdc2-fa2f-4cc0-81d3-ff12045b73c9"`, errOther},
		{notices, `{"notices":[` + goodNotice + `]}`, `"PAGATO_ONLINE"`, `""`, errState},
		{notices, `{"notices":[` + goodNotice + `]}`, `"notices"`, `"avvisi"`, errForm},
		{notices, `{"notices":[` + goodNotice + `]}`, `[`, `[null,`, errOther},
		{receipt, goodReceipt, `"outcome":0`, `"outcome":5`, errEsito},
		{receipt, goodReceipt, `"outcome":0`, `"outcome":-1`, errEsito},
		{receipt, goodReceipt, `"outcome":0,`, ``, errForm},
		{receipt, goodReceipt, `9000`, `0`, errAmount},
		{receipt, goodReceipt, `2026-11-28T10:11:12Z`, ``, errTime},
		{receipt, goodReceipt, `"ID"`, `""`, errOther},
		{receipt, goodReceipt, `RT-1`, ``, errText},
		{receipt, goodReceipt, `Banca`, long, errText},
	} {
		require.NoError(t, test.decode(about(test.good, "", "")))
		require.NotEqual(t, test.good, strings.Replace(test.good, test.from, test.to, 1))
		assert.ErrorIs(t, test.decode(about(test.good, test.from, test.to)), test.want, "%s → %s", test.from, test.to)
	}
	assert.NoError(t, receipt(about(strings.Replace(goodReceipt, "9000", "0", 1), `"outcome":0`, `"outcome":1`)), "nothing was paid")
}

// What a program may decode from the network: it never panics, and what it takes is sound.
func FuzzReplies(f *testing.F) {
	for _, reply := range []string{goodEvent, goodNotice, goodReceipt, `{"notices":[` + goodNotice + `]}`, `null`, `[]`, `{"notices":[null]}`} {
		f.Add(about(reply, "", ""))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := decodeEvent(body, wireID); err == nil {
			assert.True(t, e.ID == wireID && pagoinrete.EventMachine().Has(e.State) && e.State != pagoinrete.EventBlank && e.RemoteID != "" && printable(strings.ReplaceAll(e.Rejection.Reveal(), "\n", "")))
		}
		if n, err := decodeNotice(body, wireID); err == nil {
			checkNotice(t, n)
		}
		if r, err := decodeReceipt(body, wireID); err == nil {
			assert.True(t, r.Amount >= 0 && r.Amount <= flussi.MaxPayable && r.Date.Location() == time.UTC && printable(r.PSP) && printable(r.Reference))
			assert.NotEqual(t, "Esito sconosciuto", r.Outcome.Label())
		}
		if all, err := decodeNotices(body, []uuid.UUID{wireID}); err == nil {
			assert.LessOrEqual(t, len(all), 1)
			for _, n := range all {
				checkNotice(t, n)
			}
		}
	})
}

func checkNotice(t *testing.T, n pagoinrete.RemoteNotice) {
	assert.True(t, n.ID == wireID && pagoinrete.NoticeMachine().Has(n.State) && n.State != pagoinrete.NoticeNotLinked && n.RemoteID != "")
	assert.NoError(t, n.Number.Check())
	assert.False(t, n.Number.IsZero())
	for _, p := range []pagoinrete.Proof{n.Evidence.Receipt, n.Evidence.Settlement, n.Evidence.Movement, n.Evidence.Manual, n.Evidence.Refund} {
		if !p.IsZero() {
			assert.True(t, isReference(p.Reference, true), "a reference that can be stored")
			assert.True(t, p.Date.Year() >= 2000 && p.Date.Location() == time.UTC, "a date")
			assert.Equal(t, p.Date.Truncate(time.Microsecond), p.Date, "as stores keep it")
		}
	}
}

// What is sent is what there is, but for what is the office's own.
func TestWhatIsSentIsWhole(t *testing.T) {
	by := flussi.Actor{ID: "dsga", Roles: []flussi.Role{flussi.AdminDirector}}
	e := must.Get(pagoinrete.NewEvent(pagoinrete.Donation, "RMIC8GA002", by))(t)
	e.EventData = pagoinrete.EventData{
		Name: "n", Causale: "c", Category: "k", SchoolYear: 2026, FinancialYear: 2027, Account: "i", Amount: 5, Flexible: true,
		Instalments: []pagoinrete.Instalment{{}, {DueDate: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600)), Amount: 5}}, Binding: true, Repeatable: true,
	}
	body := must.Get(encodeEvent(e))(t)
	assert.JSONEq(t, `{"kind":"EROGAZIONE_LIBERALE","name":"n","causale":"c","category":"k","school_year":2026,"financial_year":2027,
		"account":"i","amount":5,"flexible":true,"instalments":[{"amount":0},{"due_date":"2026-01-02T02:04:05.000006Z","amount":5}],
		"binding":true,"repeatable":true}`, string(body))
	everyField(t, body)
	code := must.Get(flussi.ParseFiscalCode("RSSMRA80A01H501U"))(t)
	body = must.Get(encodeNotice(pagoinrete.Notice{EventID: wireID, Instalment: 2, NoticeData: pagoinrete.NoticeData{
		Debtor: code, DebtorKind: pagoinrete.DebtorStaff, DebtorName: flussi.NewText("R"), Payer: code, Amount: 3, Discount: 2, DueDate: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		Transfers: pagoinrete.Transfers{{Beneficiary: must.Get(flussi.ParseOrganizationCode("80185250588"))(t), Amount: 1}, {}, {Amount: 2}},
	}}))(t)
	assert.JSONEq(t, `{"event":"`+wireID.String()+`","instalment":2,"debtor":{"fiscal_code":"RSSMRA80A01H501U","kind":"PERSONALE","name":"R"},
		"payer":"RSSMRA80A01H501U","amount":3,"discount":2,"due_date":"2026-01-02T00:00:00Z",
		"transfers":[{"beneficiary":"80185250588","amount":1},{"amount":0},{"amount":2}]}`, string(body))
	everyField(t, body)
}

func everyField(t *testing.T, body []byte) {
	var fields map[string]any
	require.NoError(t, json.Unmarshal(body, &fields))
	for name, value := range fields {
		assert.NotZero(t, value, name)
	}
}
