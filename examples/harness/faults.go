//go:build unix

package main

// fault is something that goes wrong, and how a trial plays it.
type fault struct {
	name      string
	what      string   // in one line
	killing   bool     // its hits are SIGKILLs
	databases []string // nil: all
	least     int      // trials on each database at least, however many hits they have
	slow      bool     // not part of -short
	play      func(*trial)
}

// The databases.
const (
	onSQLite    = "sqlite"
	onPostgres  = "postgres"
	onPgBouncer = "pgbouncer"
)

func allDatabases() []string { return []string{onSQLite, onPostgres, onPgBouncer} }

// onServer are the databases that have a server.
var onServer = []string{onPostgres, onPgBouncer}

// allFaults returns all faults, in the order of the table.
func allFaults() []fault {
	all := []fault{
		{name: "kill import", what: "import is killed, and run again", killing: true, play: killImport},
		{name: "kill send", what: "a program that sends is killed", killing: true, play: func(t *trial) { killSend(t, 1) }},
		{name: "kill one of 2", what: "one of two programs that send is killed", killing: true, play: func(t *trial) { killSend(t, 2) }},
		{name: "kill one of 4", what: "one of four programs that send is killed", killing: true, play: func(t *trial) { killSend(t, 4) }},
		{name: "kill resolve", what: "resolve is killed, and run again", killing: true, play: killResolve},
		{name: "kill resend", what: "resend is killed, and run again", killing: true, play: killResend},
		{name: "kill correct", what: "resend with a file of corrections is killed, and run again", killing: true, play: killCorrect},
		{name: "kill verify", what: "verify is killed, and run again", killing: true, play: killVerify},
		{name: "kill export", what: "export is killed, and run again", killing: true, play: killExport},
		{name: "kill school", what: "a worker that takes a step of a school's event is killed, and run again", killing: true, play: killSchool},
		{name: "kill reconcile", what: "segreteria riconcilia is killed, and run again", killing: true, databases: []string{onSQLite}, play: killReconcile},
		{name: "freeze", what: "a program that sends is stopped for longer than its lease", play: freeze},
		{name: "crash", what: "the server of the database crashes while programs send", databases: onServer, play: crash},
		{name: "cut", what: "the connections to the database are cut while programs work", databases: onServer, play: cut},
		{name: "lost answer", what: "the server commits, and its answer is lost", databases: onServer, play: loseAnswers},
		{name: "lost wal", what: "a sender is killed, and the -wal file deleted", databases: []string{onSQLite}, play: loseWAL},
		{name: "restored", what: "an older copy of the database is put back", play: restore},
		{name: "full disk", what: "the disk fills up while programs write", play: fillDisk},
		{name: "clock", what: "the clock of one of two senders jumps", slow: true, play: jumpClock},
		{name: "two operators", what: "two operators give the same orders at once", play: twoOperators},
	}
	for _, m := range mischiefs() {
		all = append(all, fault{name: m.name, what: m.what, least: 5, play: func(t *trial) { evil(t, m) }})
	}
	return all
}
