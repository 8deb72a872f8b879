package sandbox

import (
	"encoding/json"
	"sort"
	"strings"
)

// row is one object of the server, by the API's member names. Members that the sandbox does not know are kept.
type row map[string]any

func (r row) text(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r row) truth(name string) bool {
	b, _ := r[name].(bool)
	return b
}

func (r row) number(name string) int {
	switch n := r[name].(type) {
	case int:
		return n
	case float64:
		return int(n)
	}
	return 0
}

// clone copies a row deeply, so that an answer cannot change it.
func (r row) clone() row {
	raw, _ := json.Marshal(r) // made of JSON values only
	var c row
	_ = json.Unmarshal(raw, &c)
	return c
}

// table keeps rows in the order in which they were made.
type table struct {
	rows []row
	byID map[string]row
}

func newTable(rows ...row) *table {
	t := &table{byID: map[string]row{}}
	for _, r := range rows {
		t.add(r)
	}
	return t
}

func (t *table) add(r row) row {
	if r.text("id") == "" {
		r["id"] = newID()
	}
	t.rows = append(t.rows, r)
	t.byID[strings.ToLower(r.text("id"))] = r
	return r
}

func (t *table) get(id string) row { return t.byID[strings.ToLower(id)] }

// replace writes a full object back: what is left out is gone, as on a real server.
func (t *table) replace(id string, with row) {
	old := t.get(id)
	for k := range old {
		delete(old, k)
	}
	for k, v := range with {
		old[k] = v
	}
}

func (t *table) remove(id string) {
	for i, r := range t.rows {
		if strings.EqualFold(r.text("id"), id) {
			t.rows = append(t.rows[:i], t.rows[i+1:]...)
			break
		}
	}
	delete(t.byID, strings.ToLower(id))
}

// named finds a row that is not deleted by a member that holds its name.
func (t *table) named(member, name string) row {
	for _, r := range t.rows {
		if strings.EqualFold(r.text(member), name) && !r.truth("isDeleted") {
			return r
		}
	}
	return nil
}

// page answers a DataTable of the rows whose columns contain filterText.
func (q *ask) page(rows []row, take int, columns []string, show func(row) row) answer {
	filter := strings.ToLower(q.query("filterText"))
	skip, take := q.number("skip", 0), q.number("take", take)
	data := []row{}
	total := 0
	for _, r := range rows {
		if filter != "" && !containsAny(r, columns, filter) {
			continue
		}
		if total >= skip && len(data) < take {
			data = append(data, show(r))
		}
		total++
	}
	return ok(row{"data": data, "recordsTotal": total, "recordsFiltered": total, "draw": 0})
}

func containsAny(r row, columns []string, filter string) bool {
	for _, c := range columns {
		if strings.Contains(strings.ToLower(r.text(c)), filter) {
			return true
		}
	}
	return false
}

func asIs(r row) row { return r }

// list answers a plain array.
func list(rows []row) answer {
	if rows == nil {
		rows = []row{}
	}
	return ok(rows)
}

func sorted(rows []row, by string) []row {
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].text(by) < rows[j].text(by) })
	return rows
}
