/*
 * libFuzzer's entry: bytes that pass as a plan must be one that the restore engine can follow without reading beyond
 * them. Head and digest are made right, so that the fuzzer reaches what is behind them.
 */
#include "../../runtime/launcher/launcher.h"
#include "../../runtime/restorer/plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is read is added up, so that no read is left out as useless. */
static volatile unsigned long sum;

static void read_text(const struct plan *plan, text_at at) { sum += strlen(text_of(plan, at)); }

static void read_bytes(const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) sum += ((const unsigned char *)bytes)[i];
}

/* Reads all that the engine would read of a plan. */
static void follow(const struct plan *plan) {
  read_text(plan, plan->snapshot), read_text(plan, plan->isa), read_text(plan, plan->cpu), read_text(plan, plan->program), read_text(plan, plan->folder);
  for (uint32_t i = 0; i < COUNT(plan, COMMAND); i++) read_text(plan, ENTRIES(plan, COMMAND, text_at)[i]);
  for (uint32_t i = 0; i < COUNT(plan, FILES); i++) read_text(plan, ENTRIES(plan, FILES, struct app_file)[i].path);
  for (uint32_t i = 0; i < COUNT(plan, DESCRIPTORS); i++) {
    const struct descriptor *entry = &ENTRIES(plan, DESCRIPTORS, struct descriptor)[i];
    const size_t record = entry->kind == D_UNIX ? sizeof(struct unix_name) : entry->kind == D_INET ? sizeof(struct inet_name) : 0;
    if (record) read_bytes(text_of(plan, entry->name), record);
    else if (entry->kind == D_TIMER) read_bytes(text_of(plan, entry->b), sizeof(struct timerfd_state));
    else if (entry->kind == D_FILE || entry->kind == D_FIFO || entry->kind == D_DELETED) read_text(plan, entry->name);
    for (uint32_t k = 0; k < entry->options; k++) read_bytes(&ENTRIES(plan, OPTIONS, struct option)[entry->option + k], sizeof(struct option));
    if (entry->kind == D_OBJECT) read_bytes(&ENTRIES(plan, OBJECTS, struct object)[entry->extra], sizeof(struct object));
  }
  for (uint32_t i = 0; i < COUNT(plan, OBJECTS); i++) {
    const struct object *object = &ENTRIES(plan, OBJECTS, struct object)[i];
    read_text(plan, object->name);
    for (uint32_t k = 0; k < object->contents; k++) read_bytes(&ENTRIES(plan, CONTENTS, struct content_run)[object->content + k], sizeof(struct content_run));
  }
  for (int late = 0; late < 2; late++)
    for (uint32_t i = 0; i < plan->sections[late ? LATE_STEPS : STEPS].count; i++) {
      const struct step *step = late ? &ENTRIES(plan, LATE_STEPS, struct step)[i] : &ENTRIES(plan, STEPS, struct step)[i];
      if (step->start < LOW_END) abort();
      if (step->kind == S_FILE) read_text(plan, step->source);
      if (step->kind == S_OBJECT) read_bytes(&ENTRIES(plan, OBJECTS, struct object)[step->source], sizeof(struct object));
    }
  for (uint32_t i = 0; i < COUNT(plan, FILLS); i++)
    if (ENTRIES(plan, FILLS, struct fill)[i].address < LOW_END) abort();
  for (uint32_t i = 0; i < COUNT(plan, THREADS); i++) {
    read_text(plan, ENTRIES(plan, THREADS, struct thread)[i].name);
    read_bytes(ENTRIES(plan, FRAMES, char) + (uint64_t)i * plan->frame_stride, plan->frame_stride);
  }
  read_bytes(ENTRIES(plan, ACTIONS, char), COUNT(plan, ACTIONS) * sizeof(struct action));
  read_bytes(ENTRIES(plan, PENDING, char), COUNT(plan, PENDING) * sizeof(struct pending));
  read_bytes(ENTRIES(plan, TIMERS, char), COUNT(plan, TIMERS) * sizeof(struct timer));
  read_bytes(ENTRIES(plan, AUXV, char), COUNT(plan, AUXV) * sizeof(uint64_t));
  read_bytes(ENTRIES(plan, WATCHES, char), COUNT(plan, WATCHES) * sizeof(struct watch));
  read_bytes(ENTRIES(plan, LOCKS, char), COUNT(plan, LOCKS) * sizeof(struct lock));
  read_bytes(ENTRIES(plan, COPIES, char), COUNT(plan, COPIES) * sizeof(struct copy));
  for (uint32_t i = 0; i < COUNT(plan, PREFETCH); i++) read_text(plan, ENTRIES(plan, PREFETCH, struct prefetch)[i].path);
  for (uint32_t i = 0; i < COUNT(plan, KEPT); i++) read_text(plan, ENTRIES(plan, KEPT, struct kept)[i].path), read_text(plan, ENTRIES(plan, KEPT, struct kept)[i].target);
  for (uint32_t i = 0; i < COUNT(plan, VDSO); i++) read_text(plan, ENTRIES(plan, VDSO, struct vdso_function)[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  /* As it is: truncated, of another version, damaged. */
  struct plan *plan = malloc(bytes ? bytes : 1);
  memcpy(plan, data, bytes);
  if (!check_plan(plan, bytes)) follow(plan);
  if (bytes >= sizeof *plan) {
    plan->magic = PLAN_MAGIC;
    plan->version = PLAN_VERSION;
    plan->size = bytes;
    plan->page_size = sysconf(_SC_PAGESIZE);
    if (!check_meaning(plan)) follow(plan);
  }
  free(plan);
  return 0;
}
