package sqlstore_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// archive is a database with many notifications, in flows of 80 and one of a fifth of all, of 4
// services. A thousandth of them, and at least 10, are rare in every respect.
type archive struct {
	store *sqlstore.Store
	n     int
	big   uuid.UUID
	end   time.Time
	like  flow.Notification // one of the rare
	flow  flow.Flow         // one of the rare
}

func v7(i int) uuid.UUID {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	id[0], id[1], id[2], id[3], id[15] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i), byte(i*31)
	return id
}

func benchService(i int) string { return fmt.Sprintf("servizio-%02d", i%4) }

var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// fill stores n notifications.
func (a *archive) fill(b *testing.B) {
	big := a.n / 5
	next := 0
	for number := 0; next < a.n; number++ {
		size := 80
		if number == 3 {
			size = big
		}
		size = min(size, a.n-next)
		a.save(b, number, next, size)
		next += size
	}
}

func (a *archive) rareEvery() int { return max(a.n/10, 1000) }

func (a *archive) make(i, number int, f flow.Flow) flow.Notification {
	code, _ := flussi.ParseFiscalCode(fmt.Sprintf("RSS%c%c%c%02d%cDDH%03dU", 'A'+i/26/26%26, 'A'+i/26%26, 'A'+i%26, i/7%100, "ABCDEHLMPRST"[i/17576%12], i/210912%1000))
	if code.IsZero() {
		code, _ = flussi.ParseFiscalCode(fmt.Sprintf("RSS%c%c%c%02d%c01H%03dU", 'A'+i/26/26%26, 'A'+i/26%26, 'A'+i%26, i/7%100, "ABCDEHLMPRST"[i/17576%12], i/210912%1000))
	}
	n := flow.Notification{
		ID: v7(1<<28 + i), FlowID: f.ID, Service: f.Service, State: flow.NotificationSent,
		Draft: flow.Draft{
			Recipient: code, Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento n. %d del servizio", i)),
			Content: flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 10)), Reference: "comune",
		},
		Transmission: flow.Transmission{MessageID: appio.MessageID(fmt.Sprintf("01JN6Q5CZ3VGTA4X%010d", i)), Attempts: 1, SentAt: f.CreatedAt.Add(time.Hour)},
		Delivery:     flow.Delivery{Status: appio.StatusProcessed},
		CreatedAt:    f.CreatedAt, UpdatedAt: f.CreatedAt.Add(time.Hour), UpdatedBy: "dispatcher",
	}
	if i%3 == 0 {
		n.Delivery = flow.Delivery{}
		n.UpdatedBy = "verifica"
	}
	if i%50 == 7 {
		n.State, n.Transmission = flow.NotificationFailed, flow.Transmission{ErrorCode: flow.CodeUnreachable, Attempts: 1}
	}
	if i%a.rareEvery() == 11 {
		n.State, n.Transmission.ErrorCode, n.Transmission.MessageID, n.Transmission.SentAt = flow.NotificationRegistered, "raro", "RARO", time.Time{}
		n.Reference, n.UpdatedBy, n.Disabled = "raro", "raro", true
		n.Subject = flussi.NewText("Avviso introvabile")
		n.UpdatedAt = start.AddDate(1, 0, 0)
		n.NoticeNumber, _ = flussi.ParseNoticeNumber(fmt.Sprintf("0%017d", i))
		a.like = n
	}
	return n
}

func (a *archive) newFlow(number int) flow.Flow {
	f := flow.Flow{
		ID: v7(number), Service: benchService(number), State: flow.FlowSent,
		Details:   flow.Details{Note: flussi.NewText(fmt.Sprintf("Flusso n. %d della TARI", number)), AppContext: "comune", AppKey: fmt.Sprint(number / 2)},
		CreatedAt: start.Add(time.Duration(number) * time.Hour / 25), UpdatedAt: start.Add(time.Duration(number)*time.Hour/25 + time.Hour), UpdatedBy: "dispatcher",
	}
	if number%max(a.n/1000, 2) == 1 {
		f.State, f.Note, f.AppContext, f.UpdatedBy, f.Disabled = flow.FlowSending, flussi.NewText("introvabile"), "raro", "raro", true
		f.UpdatedAt = start.AddDate(1, 0, 0)
		a.flow = f
	}
	if number == 3 {
		a.big = f.ID
	}
	if a.end.Before(f.CreatedAt) {
		a.end = f.CreatedAt
	}
	return f
}

func (a *archive) save(b *testing.B, number, first, size int) {
	f := a.newFlow(number)
	var all iter.Seq2[flow.NotificationChange, error] = func(yield func(flow.NotificationChange, error) bool) {
		for i := first; i < first+size; i++ {
			n := a.make(i, number, f)
			if a.store == nil {
				continue
			}
			if !yield(flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: "m.neri", Action: flow.NotificationCreate, To: n.State}}, nil) {
				return
			}
		}
	}
	if a.store == nil { // only to know what there is
		all(func(flow.NotificationChange, error) bool { return true })
		return
	}
	require.NoError(b, a.store.SaveFlow(b.Context(), flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: "m.neri", Action: flow.FlowCreate, To: f.State}}, all))
}

// openArchive opens an archive on a kind of database, and fills it if it is not there from an
// earlier run.
func openArchive(b *testing.B, kind string, n int, s *server) *archive {
	a := &archive{n: n}
	location, there := archiveFile(b, n)
	if kind == "PostgreSQL" {
		location, there = archiveSchema(b, n, s)
	}
	if there {
		a.fill(b)
	}
	a.store = open(b, location)
	if !there {
		began := time.Now()
		a.fill(b)
		b.Logf("%s: %d in %v", kind, n, time.Since(began))
	}
	return a
}

func archiveFile(b *testing.B, n int) (path string, there bool) {
	dir := cmp.Or(os.Getenv("FLUSSI_BENCH_DIR"), b.TempDir())
	path = filepath.Join(dir, fmt.Sprintf("archive-%d.db", n))
	_, err := os.Stat(path)
	return path, err == nil
}

func archiveSchema(b *testing.B, n int, s *server) (location string, there bool) {
	name := fmt.Sprintf("archive%d", n)
	require.NoError(b, s.QueryRow("SELECT count(*) > 0 FROM pg_namespace WHERE nspname = $1", name).Scan(&there))
	if !there {
		must.Get(s.Exec("CREATE SCHEMA " + name))(b)
	}
	return s.in(name), there
}

// flowSearches returns the filters, by name.
func (a *archive) flowSearches() map[string]flow.FlowFilter {
	mid := start.Add(a.end.Sub(start) / 2)
	return map[string]flow.FlowFilter{
		"all":             {},
		"IDs":             {IDs: []uuid.UUID{a.big, a.flow.ID}},
		"State common":    {States: []flow.FlowState{flow.FlowSent}},
		"State rare":      {States: []flow.FlowState{flow.FlowSending}},
		"State none":      {States: []flow.FlowState{flow.FlowInactive}},
		"Text common":     {Text: "della tari"},
		"Text rare":       {Text: "introvabile"},
		"Text none":       {Text: "inesistente"},
		"User common":     {User: "dispatcher"},
		"User rare":       {User: "raro"},
		"User none":       {User: "nessuno"},
		"From mid":        {From: mid},
		"To mid":          {To: mid},
		"Context common":  {AppContext: "comune"},
		"Context rare":    {AppContext: "raro"},
		"Key rare":        {AppKey: "1"},
		"Disabled":        {Disabled: flow.OnlyDisabled},
		"Enabled":         {Disabled: flow.OnlyEnabled},
		"ChangedFrom mid": {ChangedFrom: mid},
		"ChangedFrom end": {ChangedFrom: start.AddDate(0, 11, 0)},
		"ChangedTo mid":   {ChangedTo: mid},
		"ChangedTo first": {ChangedTo: start.Add(2 * time.Hour)},
		"ChangedTo none":  {ChangedTo: start},
	}
}

func (a *archive) searches() map[string]flow.NotificationFilter {
	mid := start.Add(a.end.Sub(start) / 2)
	return map[string]flow.NotificationFilter{
		"all":                {},
		"IDs":                {IDs: []uuid.UUID{v7(1<<28 + a.n/2), a.like.ID}},
		"Standalone":         {Standalone: true},
		"State common":       {States: []flow.NotificationState{flow.NotificationSent}},
		"State mid":          {States: []flow.NotificationState{flow.NotificationFailed}},
		"State several":      {States: []flow.NotificationState{flow.NotificationFailed, flow.NotificationRegistered}},
		"State rare":         {States: []flow.NotificationState{flow.NotificationRegistered}},
		"State none":         {States: []flow.NotificationState{flow.NotificationSending}},
		"Error mid":          {ErrorCodes: []flow.ErrorCode{flow.CodeUnreachable}},
		"Error rare":         {ErrorCodes: []flow.ErrorCode{"raro"}},
		"Error none":         {ErrorCodes: []flow.ErrorCode{"nessuno"}},
		"Text common":        {Text: "di pagamento"},
		"Text mid 1%":        {Text: " n. 77"},
		"Text mid 0.1%":      {Text: "777 del"},
		"Text rare":          {Text: "introvabile"},
		"Text none":          {Text: "inesistente"},
		"Text none, common":  {Text: "pagamento servizio"},
		"User common":        {User: "dispatcher"},
		"User rare":          {User: "raro"},
		"User none":          {User: "nessuno"},
		"From mid":           {From: mid},
		"To mid":             {To: mid},
		"Recipient":          {Recipient: a.like.Recipient},
		"Notice":             {NoticeNumber: a.like.NoticeNumber},
		"Reference common":   {Reference: "comune"},
		"Reference rare":     {Reference: "raro"},
		"MessageID":          {MessageID: appio.MessageID(fmt.Sprintf("01JN6Q5CZ3VGTA4X%010d", a.n/2))},
		"Digest":             {Digests: []flow.Digest{a.like.Digest()}},
		"Disabled":           {Disabled: flow.OnlyDisabled},
		"Enabled":            {Disabled: flow.OnlyEnabled},
		"ChangedFrom mid":    {ChangedFrom: mid},
		"ChangedFrom end":    {ChangedFrom: start.AddDate(0, 11, 0)},
		"ChangedTo mid":      {ChangedTo: mid},
		"ChangedTo none":     {ChangedTo: start},
		"Unsettled":          {DeliveryOpen: true},
		"ClosedBefore mid":   {ClosedBefore: mid},
		"ClosedBefore none":  {ClosedBefore: start},
		"Unsettled, Changed": {DeliveryOpen: true, ChangedFrom: start.AddDate(0, 11, 0)},
	}
}

// BenchmarkFirstPage measures what the first page of each search costs among many notifications,
// as a multiple of what it costs among few. How many that is says FLUSSI_ROWS, such as
// 10000,1000000.
func BenchmarkFirstPage(b *testing.B) {
	sizes := []int{1000, 3000}
	if given := os.Getenv("FLUSSI_ROWS"); given != "" {
		sizes = nil
		for _, text := range strings.Split(given, ",") {
			n := must.Get(strconv.Atoi(text))(b)
			sizes = append(sizes, n)
		}
	}
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		b.Run(kind, func(b *testing.B) {
			var s *server
			if kind == "PostgreSQL" {
				s = newServer(b)
			}
			var archives []*archive
			for _, n := range sizes {
				archives = append(archives, openArchive(b, kind, n, s))
			}
			all := make([]string, 4)
			for i := range all {
				all[i] = benchService(i)
			}
			measure := func(name string, find func(a *archive) (int, error)) {
				b.Run(name, func(b *testing.B) {
					var took [2][]time.Duration
					found := [2]int{}
					for i := range archives {
						must.Get(find(archives[i]))(b)
					}
					for b.Loop() {
						for range 15 {
							for i, a := range archives {
								began := time.Now()
								n, err := find(a)
								took[i] = append(took[i], time.Since(began))
								require.NoError(b, err)
								found[i] = n
							}
						}
					}
					var medians [2]time.Duration
					for i := range took {
						slices.Sort(took[i])
						medians[i] = took[i][len(took[i])/2]
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(medians[0].Microseconds()), "µs-few")
					b.ReportMetric(float64(medians[1].Microseconds()), "µs-many")
					b.ReportMetric(float64(medians[1])/float64(medians[0]), "ratio")
					b.ReportMetric(float64(found[0]), "found-few")
					b.ReportMetric(float64(found[1]), "found-many")
				})
			}
			ctx := context.Background()
			for _, scope := range []string{"services", "service", "flow"} {
				for _, name := range sorted(archives[0].searches()) {
					measure("Notifications/"+scope+"/"+name, func(a *archive) (int, error) {
						q := a.searches()[name]
						q.Services = all
						switch scope {
						case "service":
							q.Services = all[1:2]
						case "flow":
							q.Flow = a.big
						}
						found, err := a.store.Notifications(ctx, q, flow.Page{Limit: 51})
						return len(found), err
					})
				}
			}
			for _, name := range sorted(archives[0].flowSearches()) {
				measure("Flows/services/"+name, func(a *archive) (int, error) {
					q := a.flowSearches()[name]
					q.Services = all
					found, err := a.store.Flows(ctx, q, flow.Page{Limit: 51})
					return len(found), err
				})
			}
		})
	}
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
