;; Stands between the engine and its clock (instance.ts says why). A suspending import refuses every
;; call from a stack that cannot sleep, also one that it would answer at once, and the engine asks
;; for the time on both kinds of stack. So the host is asked first which of the two it shall be.
;; clock.wasm is this file, assembled: `wat2wasm clock.wat`.
(module
  (import "host" "isDue" (func $isDue (result i32)))
  (import "host" "tell" (func $tell (param i32 i32) (result i32)))
  (import "host" "waitAndTell" (func $waitAndTell (param i32 i32) (result i32)))
  (func (export "clock") (param i32 i32) (result i32)
    call $isDue
    if (result i32)
      local.get 0
      local.get 1
      call $waitAndTell
    else
      local.get 0
      local.get 1
      call $tell
    end))
