// Docker Hub on loopback: the registry is the one that Docker Hub runs too (distribution), the images are go-containerregistry's.
// What Docker Hub puts around it is here: anonymous tokens, the limit of pulls, and layers that come from another host.
//
// It prints its address and what its images hold as one line of JSON, and ends with its standard input. Every name of Docker Hub
// is served at the one address, by the Host header. POST /limit, /cut and /corrupt ask for trouble.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"sync"
)

const (
	registryHost = "registry-1.docker.io"
	tokenHost    = "auth.docker.io"
	layerHost    = "production.cloudflare.docker.com"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	megabytes := 1
	if len(os.Args) > 1 {
		megabytes, _ = strconv.Atoi(os.Args[1])
	}
	directory, err := os.MkdirTemp("", "registry-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	issuer, err := newIssuer(directory)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hub := &hub{issuer: issuer, registry: newRegistry(directory, issuer)}
	go http.Serve(listener, hub)

	facts, err := pushImages(listener.Addr().String(), megabytes)
	if err != nil {
		return err
	}
	hub.open = true
	json.NewEncoder(os.Stdout).Encode(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port, "images": facts})
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// trouble is what a test has asked for, and how often it is still to happen.
type trouble struct {
	refusals   int
	retryAfter string
	cuts       int
	corrupt    int
}

type hub struct {
	issuer   *issuer
	registry http.Handler
	// open once the images are there: before that, whoever asks is the one who pushes them.
	open bool

	mutex   sync.Mutex
	trouble trouble
	pulls   int
	layers  int
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch strings.Split(r.Host, ":")[0] {
	case tokenHost:
		h.issuer.serve(w, r, !h.open)
	case registryHost:
		h.serveRegistry(w, r)
	case layerHost:
		h.serveLayer(w, r)
	default:
		h.control(w, r)
	}
}

func (h *hub) serveRegistry(w http.ResponseWriter, r *http.Request) {
	isPull := r.Method == http.MethodGet && h.open && r.Header.Get("Authorization") != ""
	if isPull && strings.Contains(r.URL.Path, "/manifests/") && h.refused(w) {
		return
	}
	if isPull && strings.Contains(r.URL.Path, "/blobs/") {
		h.redirect(w, r)
		return
	}
	h.registry.ServeHTTP(w, r)
}

// refused counts a pull and says whether it is one too many, in Docker Hub's words.
func (h *hub) refused(w http.ResponseWriter) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.pulls++
	if h.trouble.refusals == 0 {
		return false
	}
	h.trouble.refusals--
	if h.trouble.retryAfter != "" {
		w.Header().Set("Retry-After", h.trouble.retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	io.WriteString(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"}]}`)
	return true
}

// redirect sends whoever may read a layer to the host that has it.
func (h *hub) redirect(w http.ResponseWriter, r *http.Request) {
	probe := r.Clone(r.Context())
	probe.Method = http.MethodHead
	answer := &recorded{header: http.Header{}}
	h.registry.ServeHTTP(answer, probe)
	if answer.status != http.StatusOK {
		h.registry.ServeHTTP(w, r)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	http.Redirect(w, r, "https://"+layerHost+r.URL.Path+"?verify="+token, http.StatusTemporaryRedirect)
}

// serveLayer takes the signature in the address only, as a content delivery network does: with a header it refuses.
func (h *hub) serveLayer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("verify") == "" {
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
		return
	}
	h.mutex.Lock()
	h.layers++
	cut, corrupt := h.trouble.cuts > 0, h.trouble.corrupt > 0
	if cut {
		h.trouble.cuts--
	} else if corrupt {
		h.trouble.corrupt--
	}
	h.mutex.Unlock()
	inner := r.Clone(r.Context())
	inner.Host = registryHost
	inner.Header.Set("Authorization", "Bearer "+r.URL.Query().Get("verify"))
	switch {
	case cut:
		h.registry.ServeHTTP(&cutter{ResponseWriter: w}, inner)
		panic(http.ErrAbortHandler)
	case corrupt:
		h.registry.ServeHTTP(&corrupter{ResponseWriter: w}, inner)
	default:
		h.registry.ServeHTTP(w, inner)
	}
}

func (h *hub) control(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	times, _ := strconv.Atoi(r.URL.Query().Get("times"))
	switch r.URL.Path {
	case "/limit":
		h.trouble.refusals, h.trouble.retryAfter = times, r.URL.Query().Get("retryAfter")
	case "/cut":
		h.trouble.cuts = times
	case "/corrupt":
		h.trouble.corrupt = times
	case "/counts":
		json.NewEncoder(w).Encode(map[string]int{"pulls": h.pulls, "layers": h.layers})
	default:
		dump, _ := httputil.DumpRequest(r, false)
		http.Error(w, fmt.Sprintf("Docker Hub has nothing for %s", dump), http.StatusNotFound)
	}
}

// recorded keeps the status of an answer and nothing else of it.
type recorded struct {
	header http.Header
	status int
}

func (r *recorded) Header() http.Header { return r.header }

func (r *recorded) WriteHeader(status int) { r.status = status }

func (r *recorded) Write(data []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return len(data), nil
}

// cutter breaks off after some bytes.
type cutter struct {
	http.ResponseWriter
	written int
}

func (c *cutter) Write(data []byte) (int, error) {
	if c.written > 0 {
		return 0, io.ErrClosedPipe
	}
	half := data[:(len(data)+1)/2]
	c.written += len(half)
	c.ResponseWriter.Write(half)
	c.ResponseWriter.(http.Flusher).Flush()
	return 0, io.ErrClosedPipe
}

// corrupter changes the first byte.
type corrupter struct {
	http.ResponseWriter
	done bool
}

func (c *corrupter) Write(data []byte) (int, error) {
	if !c.done && len(data) > 0 {
		c.done = true
		changed := append([]byte{}, data...)
		changed[0] ^= 0xff
		return c.ResponseWriter.Write(changed)
	}
	return c.ResponseWriter.Write(data)
}
