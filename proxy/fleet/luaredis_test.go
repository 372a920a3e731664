package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	lua "github.com/yuin/gopher-lua"
)

// luaRedis runs the scripts in virtual time: as much of a Redis as they need, in memory. The
// tests with a real one show that it does what that does.
type luaRedis struct {
	mu      sync.Mutex
	vm      *lua.LState
	scripts map[string]*lua.LFunction
	data    map[string]any // string, map[string]string, or *zset
	calls   int
	trip    time.Duration // there and back
	cost    time.Duration // that a script takes; meanwhile no other runs
	idle    time.Time     // when all that came have run
	down    bool
	members map[string]*Fleet
}

func newLuaRedis(tb testing.TB) *luaRedis {
	tb.Helper()
	r := &luaRedis{vm: lua.NewState(), scripts: map[string]*lua.LFunction{}, data: map[string]any{}, members: map[string]*Fleet{}, trip: time.Millisecond}
	tb.Cleanup(r.vm.Close)
	redis, cjson := r.vm.NewTable(), r.vm.NewTable()
	r.vm.SetFuncs(redis, map[string]lua.LGFunction{"call": r.call, "pcall": r.call, "error_reply": func(l *lua.LState) int {
		t := l.NewTable()
		t.RawSetString("err", lua.LString(l.CheckString(1)))
		l.Push(t)
		return 1
	}})
	r.vm.SetFuncs(cjson, map[string]lua.LGFunction{"decode": decode, "encode": encode})
	r.vm.SetGlobal("redis", redis)
	r.vm.SetGlobal("cjson", cjson)
	return r
}

// ran is how many scripts did.
func (r *luaRedis) ran() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// eval runs a script as Fleet.eval does.
func (r *luaRedis) eval(ctx context.Context, s *goredis.Script, keys []string, args ...any) ([]string, error) {
	time.Sleep(r.trip / 2)
	r.mu.Lock()
	if r.down {
		r.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if r.cost > 0 {
		turn := time.Now()
		if r.idle.After(turn) {
			turn = r.idle
		}
		r.idle = turn.Add(r.cost)
		r.mu.Unlock()
		time.Sleep(time.Until(turn.Add(r.cost)))
		r.mu.Lock()
	}
	r.calls++
	out, err := r.run(s, keys, args)
	r.mu.Unlock()
	time.Sleep(r.trip / 2)
	if ctx.Err() != nil {
		return nil, ctx.Err() // it ran, but its sender went on
	}
	return out, err
}

func (r *luaRedis) run(s *goredis.Script, keys []string, args []any) ([]string, error) {
	f := r.scripts[s.Hash()]
	if f == nil {
		text := map[*goredis.Script]string{leaseScript: leaseText, beatScript: beatText, placesScript: placesText, refusalsScript: refusalsText}[s]
		var err error
		if f, err = r.vm.LoadString(text); err != nil {
			return nil, err
		}
		r.scripts[s.Hash()] = f
	}
	k, a := r.vm.NewTable(), r.vm.NewTable()
	for _, key := range keys {
		k.Append(lua.LString(key))
	}
	for _, arg := range args {
		switch v := arg.(type) {
		case []byte:
			a.Append(lua.LString(v))
		default:
			a.Append(lua.LString(fmt.Sprint(v)))
		}
	}
	r.vm.SetGlobal("KEYS", k)
	r.vm.SetGlobal("ARGV", a)
	if err := r.vm.CallByParam(lua.P{Fn: f, NRet: 1, Protect: true}); err != nil {
		return nil, err
	}
	t := r.vm.Get(-1).(*lua.LTable)
	r.vm.Pop(1)
	if e := t.RawGetString("err"); e != lua.LNil {
		return nil, fmt.Errorf("%s", e)
	}
	var out []string
	t.ForEach(func(_, v lua.LValue) { out = append(out, v.String()) })
	return out, nil
}

func (r *luaRedis) call(l *lua.LState) int {
	var args []string
	for i := 2; i <= l.GetTop(); i++ {
		args = append(args, number(l.Get(i)))
	}
	key := ""
	if len(args) > 0 {
		key = args[0]
	}
	set, _ := r.data[key].(*zset)
	if set == nil {
		set = &zset{scores: map[string]float64{}}
	}
	hash, _ := r.data[key].(map[string]string)
	switch name := l.CheckString(1); name {
	case "TIME":
		t := l.NewTable()
		now := time.Now()
		t.Append(lua.LString(fmt.Sprint(now.Unix() + 30*365*86400)))
		t.Append(lua.LString(fmt.Sprint(now.Nanosecond() / 1000)))
		l.Push(t)
	case "GET":
		if s, ok := r.data[key].(string); ok {
			l.Push(lua.LString(s))
		} else {
			l.Push(lua.LFalse)
		}
	case "SET":
		r.data[key] = args[1]
		l.Push(lua.LTrue)
	case "PUBLISH":
		if f := r.members[key[strings.LastIndex(key, ":")+1:]]; f != nil {
			go func() { time.Sleep(r.trip / 2); f.wake(args[1]) }()
		}
		l.Push(lua.LNumber(1))
	case "HGETALL":
		t := l.NewTable()
		for name, v := range hash {
			t.Append(lua.LString(name))
			t.Append(lua.LString(v))
		}
		l.Push(t)
	case "HEXISTS":
		n := 0
		if _, ok := hash[args[1]]; ok {
			n = 1
		}
		l.Push(lua.LNumber(n))
	case "DEL":
		for _, k := range args {
			delete(r.data, k)
		}
		l.Push(lua.LNumber(0))
	case "PEXPIRE":
		l.Push(lua.LNumber(1))
	case "HGET":
		if v, ok := hash[args[1]]; ok {
			l.Push(lua.LString(v))
		} else {
			l.Push(lua.LFalse)
		}
	case "HSET":
		if hash == nil {
			hash = map[string]string{}
			r.data[key] = hash
		}
		hash[args[1]] = args[2]
		l.Push(lua.LNumber(1))
	case "HDEL":
		delete(hash, args[1])
		l.Push(lua.LNumber(1))
	case "ZADD":
		r.data[key] = set
		set.add(args[2], float(args[1]))
		l.Push(lua.LNumber(1))
	case "ZREM":
		set.remove(args[1])
		l.Push(lua.LNumber(1))
	case "ZSCORE":
		if v, ok := set.scores[args[1]]; ok {
			l.Push(lua.LString(strconv.FormatFloat(v, 'g', 17, 64)))
		} else {
			l.Push(lua.LFalse)
		}
	case "ZRANK":
		l.Push(lua.LNumber(set.place(zmember{args[1], set.scores[args[1]]})))
	case "ZCARD":
		l.Push(lua.LNumber(len(set.order)))
	case "ZCOUNT":
		l.Push(lua.LNumber(set.below(float(strings.TrimPrefix(args[2], "(")))))
	case "ZRANGE", "ZRANGEBYSCORE":
		most := 20
		if name == "ZRANGE" {
			most = int(float(args[2])) + 1
		}
		t := l.NewTable()
		for _, m := range set.order[:min(most, len(set.order))] {
			if name == "ZRANGE" || m.score <= float(args[2]) {
				t.Append(lua.LString(m.name))
			}
		}
		l.Push(t)
	default:
		l.RaiseError("no such command: %s", name)
	}
	return 1
}

func float(text string) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		panic(err)
	}
	return f
}

func number(v lua.LValue) string {
	if n, ok := v.(lua.LNumber); ok {
		return strconv.FormatFloat(float64(n), 'g', 17, 64)
	}
	return v.String()
}

func decode(l *lua.LState) int {
	var v any
	if err := json.Unmarshal([]byte(l.CheckString(1)), &v); err != nil {
		l.RaiseError("%v", err)
	}
	l.Push(toLua(l, v))
	return 1
}

func toLua(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case float64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case []any:
		t := l.NewTable()
		for _, x := range v {
			t.Append(toLua(l, x))
		}
		return t
	case map[string]any:
		t := l.NewTable()
		for k, x := range v {
			t.RawSetString(k, toLua(l, x))
		}
		return t
	}
	return lua.LNil
}

func encode(l *lua.LState) int {
	text, err := json.Marshal(fromLua(l.Get(1)))
	if err != nil {
		l.RaiseError("%v", err)
	}
	l.Push(lua.LString(text))
	return 1
}

// fromLua writes numbers with the 14 digits that Redis's cjson keeps.
func fromLua(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LNumber:
		return json.Number(strconv.FormatFloat(float64(v), 'g', 14, 64))
	case lua.LString:
		return string(v)
	case lua.LBool:
		return bool(v)
	case *lua.LTable:
		if v.Len() > 0 {
			var all []any
			v.ForEach(func(_, x lua.LValue) { all = append(all, fromLua(x)) })
			return all
		}
		all := map[string]any{}
		v.ForEach(func(k, x lua.LValue) { all[k.String()] = fromLua(x) })
		return all
	}
	return nil
}
