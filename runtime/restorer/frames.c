#define _GNU_SOURCE
#include "restorer.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/*
 * Registers beyond AVX: in a plan they stand one after the other; where each lies in the image that rt_sigreturn takes,
 * the CPU tells. Plans without them, nearly all, have frames that are ready.
 */
enum { OPMASK = 5, ZMM_UPPER = 6, ZMM_HIGH = 7, PKRU = 9 };
enum { LEGACY = 832, PLANNED = 896, MAGIC_END = 4, MAGIC1_AT = 464, BV_AT = 512, ROOM = 4096 };

static const struct { unsigned number, bytes, at; } components[] = {{OPMASK, 64, 64}, {ZMM_UPPER, 512, 128}, {ZMM_HIGH, 1024, 640}, {PKRU, 8, 1664}};

struct software_bytes { /* struct _fpx_sw_bytes of the kernel */
  uint32_t magic1, extended_size;
  uint64_t xfeatures;
  uint32_t xstate_size, padding[7];
};

static void restore_frame(char *frame, char *room) {
  /* pretcode, then uc_flags, uc_link, uc_stack and 23 words of registers before the pointer. */
  char **pointer = (char **)(frame + 8 + 40 + 23 * 8), *planned = *pointer, *image = room;
  uint64_t extended;
  memcpy(&extended, planned + PLANNED, sizeof extended);
  if (!extended) return;
  memset(image, 0, ROOM);
  memcpy(image, planned, LEGACY);
  unsigned end = LEGACY;
  for (size_t i = 0; i < sizeof components / sizeof *components; i++) {
    unsigned bytes, offset, c, d;
    if (!(extended >> components[i].number & 1)) continue;
    __cpuid_count(0xd, components[i].number, bytes, offset, c, d);
    if (bytes < components[i].bytes || offset < LEGACY - 256 || offset + bytes > ROOM - 64)
      give_up("DS5006 this CPU keeps registers in another form than the snapshot has them (component %u)", components[i].number);
    memcpy(image + offset, planned + PLANNED + components[i].at, components[i].bytes);
    if (offset + bytes > end) end = offset + bytes;
  }
  uint64_t present;
  memcpy(&present, image + BV_AT, sizeof present);
  present |= extended;
  memcpy(image + BV_AT, &present, sizeof present);
  struct software_bytes software = {.magic1 = 0x46505853, .extended_size = end + MAGIC_END, .xfeatures = 7 | extended, .xstate_size = end};
  memcpy(image + MAGIC1_AT, &software, sizeof software);
  const uint32_t magic2 = 0x46505845;
  memcpy(image + end, &magic2, sizeof magic2);
  *pointer = image;
}

void restore_extended_state(const struct plan *plan) {
  if (!(plan->flags & EXTENDED_STATE)) return;
  if (plan->frame_stride < FRAME_STACK + LEGACY + ROOM + PLANNED) give_up("DS5007 the restore plan is damaged: its frames have no room");
  for (uint32_t i = 0; i < COUNT(plan, THREADS); i++) {
    char *start = (char *)ENTRIES(plan, FRAMES, char) + (uint64_t)i * plan->frame_stride;
    restore_frame(start + FRAME_STACK, (char *)((uintptr_t)(start + plan->frame_stride - ROOM) / 64 * 64));
  }
}
#else
void restore_extended_state(const struct plan *plan) { (void)plan; }
#endif
