/* The C API as a C program sees it: errors, threads, a training that is watched, stopped and resumed. Makes
 * its own images in a temporary folder. Prints what fails, and exits 1 then. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xferrun.h>

enum { kClasses = 2, kImages = 12, kSide = 40, kPixels = 3 * kSide * kSide };

static int failed = 0;
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      failed = 1;                                                               \
    }                                                                           \
  } while (0)
/* For what the rest cannot do without. */
#define REQUIRE_OK(call)                                                                \
  do {                                                                                  \
    if ((call) != XF_OK) {                                                              \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, error.what, error.remedy); \
      exit(1);                                                                          \
    }                                                                                   \
  } while (0)

static char folder[256] = "/tmp/xferrun-embed-XXXXXX";

/* A path below the folder; one of eight places. */
static const char* path(const char* name) {
  static char places[8][512];
  static int next = 0;
  char* place = places[next++ % 8];
  snprintf(place, sizeof places[0], "%s/%s", folder, name);
  return place;
}

/* A bright line across, or upwards, in noise of its own; rows from the top, RGB. */
static void draw(int class_index, int image, uint8_t* rgb) {
  unsigned noise = 12345u + 77u * (unsigned)image + (unsigned)class_index;
  int y, x, c;
  for (y = 0; y < kSide; ++y)
    for (x = 0; x < kSide; ++x)
      for (c = 0; c < 3; ++c) {
        const int along = class_index == 0 ? y : x;
        noise = noise * 1103515245u + 12345u;
        rgb[3 * (y * kSide + x) + c] =
            (uint8_t)((noise >> 16) % 60 + (abs(along - 10 - image) < 3 ? 180 : 0));
      }
}

static void write_bmp(const char* file, const uint8_t* rgb) {
  uint8_t header[54] = {'B', 'M'};
  int y, x, c;
  FILE* out = fopen(file, "wb");
  const uint32_t size = 54 + kPixels;
  memcpy(header + 2, &size, 4);
  header[10] = 54;
  header[14] = 40;
  header[18] = header[22] = kSide;
  header[26] = 1;
  header[28] = 24;
  fwrite(header, 1, sizeof header, out);
  for (y = kSide - 1; y >= 0; --y) /* a row is a multiple of four bytes long */
    for (x = 0; x < kSide; ++x)
      for (c = 2; c >= 0; --c) fputc(rgb[3 * (y * kSide + x) + c], out);
  fclose(out);
}

static void make_images(void) {
  uint8_t rgb[kPixels];
  char name[64];
  int k, i;
  mkdir(path("data"), 0777);
  for (k = 0; k < kClasses; ++k) {
    snprintf(name, sizeof name, "data/%s", k == 0 ? "across" : "upwards");
    mkdir(path(name), 0777);
    for (i = 0; i < kImages; ++i) {
      snprintf(name, sizeof name, "data/%s/%02d.bmp", k == 0 ? "across" : "upwards", i);
      draw(k, i, rgb);
      write_bmp(path(name), rgb);
    }
  }
}

/* Options of a training of moments into a folder. */
static const char* training(const char* out, const char* more) {
  static char text[2048];
  snprintf(text, sizeof text,
           "{\"model\": \"resnet18_narrow\", \"from-scratch\": true, \"preprocess\": \"unit\", "
           "\"input-size\": \"32x32\","
           " \"data\": \"%s\", \"out\": \"%s\", \"epochs\": 3, \"batch\": 4, \"threads\": 2, \"device\": "
           "\"cpu\"%s}",
           path("data"), path(out), more);
  return text;
}

/* ---- Log and progress ---- */

static int lines = 0, warnings = 0;
static void count_lines(int warning, const char* line, void* user) {
  CHECK(user == &lines && line[0] != '\0' && line[strlen(line) - 1] != '\n');
  ++lines;
  warnings += warning;
}

struct Watch {
  int stop_in_epoch; /* 0: never */
  int calls, epochs;
  double top1;
};
static int watch(const xf_progress* p, void* user) {
  struct Watch* w = user;
  ++w->calls;
  CHECK(p->epochs == 3 && p->epoch >= 1 && p->epoch <= 3 && isfinite(p->loss));
  CHECK(p->images_done > 0 && p->images_done <= p->images_total);
  if (p->epoch_ended) {
    ++w->epochs;
    w->top1 = p->val_top1;
  } else {
    CHECK(isnan(p->val_top1));
  }
  return p->epoch == w->stop_in_epoch;
}

/* ---- Cases ---- */

/* The bytes of a file; the caller frees them. */
static char* contents(const char* file, long* size) {
  FILE* in = fopen(file, "rb");
  char* bytes = NULL;
  CHECK(in != NULL);
  if (in == NULL) exit(1);
  fseek(in, 0, SEEK_END);
  *size = ftell(in);
  rewind(in);
  bytes = malloc((size_t)*size);
  CHECK(fread(bytes, 1, (size_t)*size, in) == (size_t)*size);
  fclose(in);
  return bytes;
}

static void train_stop_and_resume(void) {
  xf_error error;
  struct Watch whole = {0, 0, 0, 0}, first = {2, 0, 0, 0}, second = {0, 0, 0, 0};
  long size = 0, other_size = 0;
  char *bytes, *other;
  xf_set_log(count_lines, &lines);
  REQUIRE_OK(xf_fine_tune(training("whole", ""), watch, &whole, &error));
  CHECK(error.what[0] == '\0' && whole.epochs == 3 && whole.calls > 3 && whole.top1 >= 0 && whole.top1 <= 1);
  CHECK(lines > 3);
  CHECK(xf_fine_tune(training("parts", ""), watch, &first, &error) == XF_STOPPED);
  CHECK(strstr(error.what, "stopped in epoch 2") != NULL && strstr(error.remedy, "\"resume\": true") != NULL);
  CHECK(first.epochs == 1);
  REQUIRE_OK(xf_fine_tune(training("parts", ", \"resume\": true"), watch, &second, &error));
  CHECK(second.epochs == 2);
  bytes = contents(path("whole/best.h5"), &size);
  other = contents(path("parts/best.h5"), &other_size);
  CHECK(size == other_size && memcmp(bytes, other, (size_t)size) == 0);
  free(bytes);
  free(other);
  REQUIRE_OK(xf_fine_tune(training("unwatched", ", \"max-minutes\": 60"), NULL, NULL, &error));
}

static const int host_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
#define HOST_SIGNALS (sizeof host_signals / sizeof *host_signals)
static void (*host_handlers[HOST_SIGNALS])(int); /* as this process was started: under nohup one is ignored */

static void look_at_handlers(void (**handlers)(int)) {
  struct sigaction now;
  size_t i;
  for (i = 0; i < HOST_SIGNALS; ++i) {
    sigaction(host_signals[i], NULL, &now);
    handlers[i] = now.sa_handler;
  }
}

static void signals_are_the_hosts(void) {
  void (*now[HOST_SIGNALS])(int);
  size_t i;
  look_at_handlers(now);
  for (i = 0; i < HOST_SIGNALS; ++i) CHECK(now[i] == host_handlers[i]);
}

static int says(const xf_error* error, const char* what) {
  return strstr(error->what, what) != NULL && error->remedy[0] != '\0';
}

static void errors(xf_model* model) {
  xf_error error;
  xf_model* none = model;
  xf_load_options options = XF_LOAD_OPTIONS;
  struct {
    xf_load_options known;
    int more;
  } newer;
  float out[2 * kClasses];
  uint8_t rgb[kPixels];
  const char* missing = "/nowhere/at/all.png";
  const char* damaged = path("damaged.png");
  FILE* file = fopen(damaged, "wb");
  fputs("no image", file);
  fclose(file);
  draw(0, 0, rgb);

  CHECK(xf_load("/nowhere/run", NULL, &none, &error) == XF_NO_INPUT && none == NULL &&
        says(&error, "/nowhere/run"));
  CHECK(xf_load(path("data"), NULL, &none, &error) == XF_NO_INPUT && says(&error, "best.h5"));
  CHECK(xf_load(NULL, NULL, &none, &error) == XF_USAGE && says(&error, "run: is null"));
  CHECK(xf_load(NULL, NULL, NULL, NULL) == XF_USAGE);
  options.device = "abacus";
  CHECK(xf_load(path("whole"), &options, &none, &error) == XF_USAGE && says(&error, "abacus"));
  options.device = "cpu";
  options.threads = -1;
  CHECK(xf_load(path("whole"), &options, &none, &error) == XF_USAGE);
  options.threads = 1;
  options.batch = -1;
  CHECK(xf_load(path("whole"), &options, &none, &error) == XF_USAGE);
  options.batch = 1;
  options.size = 0;
  CHECK(xf_load(path("whole"), &options, &none, &error) == XF_USAGE && says(&error, "size"));
  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  newer.known.device = "cpu";
  REQUIRE_OK(xf_load(path("whole"), &newer.known, &none, &error)); /* by default the newer fields are 0 */
  xf_free(none);
  newer.more = 1;
  CHECK(xf_load(path("whole"), &newer.known, &none, &error) == XF_USAGE && says(&error, "version"));

  CHECK(xf_classify_files(model, &missing, 1, out, &error) == XF_NO_INPUT && says(&error, missing));
  CHECK(xf_classify_files(model, &damaged, 1, out, &error) == XF_BAD_DATA && says(&error, damaged));
  CHECK(xf_classify(model, rgb, 1, 1, kSide, out, &error) == XF_USAGE && says(&error, "1x40"));
  CHECK(xf_classify(model, rgb, 1, kSide, -1, out, NULL) == XF_USAGE);
  CHECK(xf_classify(model, NULL, 1, kSide, kSide, out, &error) == XF_USAGE);
  CHECK(xf_classify(model, rgb, 1, kSide, kSide, NULL, &error) == XF_USAGE);
  CHECK(xf_classify(NULL, rgb, 1, kSide, kSide, out, &error) == XF_USAGE);
  CHECK(xf_classify(model, NULL, 0, 0, 0, NULL, &error) == XF_OK && error.what[0] == '\0');
  xf_free(NULL);

  CHECK(xf_fine_tune("{", NULL, NULL, &error) == XF_BAD_DATA && says(&error, "options: is not JSON"));
  CHECK(xf_fine_tune(NULL, NULL, NULL, &error) == XF_USAGE);
  CHECK(xf_fine_tune("{\"epoch\": 3}", NULL, NULL, &error) == XF_USAGE &&
        says(&error, "\"epoch\" is no option"));
  CHECK(xf_fine_tune("{\"model\": \"resnet50\"}", NULL, NULL, &error) == XF_USAGE && says(&error, "--data"));
  CHECK(xf_fine_tune(training("more", ", \"seeds\": 2"), NULL, NULL, &error) == XF_USAGE &&
        says(&error, "seeds"));
  CHECK(xf_fine_tune(training("whole", ""), NULL, NULL, &error) == XF_EXISTS &&
        says(&error, "exists already"));
  CHECK(xf_fine_tune(training("worse", ", \"lr\": 1e30"), NULL, NULL, &error) == XF_DIVERGED);
}

static void what_a_model_says(xf_model* model) {
  xf_error error;
  int32_t height = 0, width = 0;
  const int32_t n = xf_feature_count(model);
  uint8_t rgb[3 * kPixels];
  float all[3 * kClasses], one[kClasses];
  float* features = malloc((size_t)(3 * n) * sizeof *features);
  char names[3][512];
  const char* paths[3];
  int i;
  CHECK(xf_class_count(model) == kClasses);
  CHECK(strcmp(xf_class_name(model, 0), "across") == 0 && strcmp(xf_class_name(model, 1), "upwards") == 0);
  CHECK(xf_class_name(model, 2) == NULL && xf_class_name(model, -1) == NULL);
  xf_input_size(model, &height, &width);
  CHECK(height == 32 && width == 32 && n > 0 && strlen(xf_model_id(model)) > 8);
  for (i = 0; i < 3; ++i) {
    draw(i % 2, i, rgb + i * kPixels);
    snprintf(names[i], sizeof names[i], "%s/data/%s/%02d.bmp", folder, i % 2 == 0 ? "across" : "upwards", i);
    paths[i] = names[i];
  }
  REQUIRE_OK(xf_classify(model, rgb, 3, kSide, kSide, all, &error));
  for (i = 0; i < 3; ++i) { /* nine digits each: their sum is 1 to two roundings */
    CHECK(fabsf(all[2 * i] + all[2 * i + 1] - 1) < 1e-6F);
    REQUIRE_OK(xf_classify_files(model, &paths[i], 1, one, &error));
    CHECK(memcmp(one, all + 2 * i, sizeof one) == 0); /* a file is its pixels, and no image sees another */
  }
  REQUIRE_OK(xf_features(model, rgb, 3, kSide, kSide, features, &error));
  REQUIRE_OK(xf_features_files(model, paths, 1, features + n, &error));
  CHECK(memcmp(features, features + n, (size_t)n * sizeof *features) == 0);
  free(features);
}

/* ---- Threads ---- */

struct Caller {
  xf_model* model;
  int seed;
  int differences;
  float expected[kClasses];
};

static void* classify_often(void* user) {
  struct Caller* caller = user;
  uint8_t rgb[kPixels];
  float out[kClasses];
  int i;
  draw(caller->seed % 2, caller->seed, rgb);
  for (i = 0; i < 50; ++i)
    if (xf_classify(caller->model, rgb, 1, kSide, kSide, out, NULL) != XF_OK ||
        memcmp(out, caller->expected, sizeof out) != 0)
      ++caller->differences;
  return NULL;
}

static void* train_besides(void* user) {
  const char* options = user;
  xf_error error;
  REQUIRE_OK(xf_fine_tune(options, NULL, NULL, &error));
  return NULL;
}

/* Two callers, of one model or of two, and a training beside them: each gets what it gets alone. */
static void threads(xf_model* a, xf_model* b) {
  struct Caller callers[2];
  pthread_t running[3];
  char options[2048];
  xf_error error;
  int i;
  snprintf(options, sizeof options, "%s", training("beside", ", \"force\": true"));
  for (i = 0; i < 2; ++i) {
    uint8_t rgb[kPixels];
    callers[i].model = i == 0 ? a : b;
    callers[i].seed = i;
    callers[i].differences = 0;
    draw(i % 2, i, rgb);
    REQUIRE_OK(xf_classify(callers[i].model, rgb, 1, kSide, kSide, callers[i].expected, &error));
  }
  for (i = 0; i < 2; ++i) pthread_create(&running[i], NULL, classify_often, &callers[i]);
  pthread_create(&running[2], NULL, train_besides, options);
  for (i = 0; i < 3; ++i) pthread_join(running[i], NULL);
  CHECK(callers[0].differences == 0 && callers[1].differences == 0);
}

static void same_files(const char* a, const char* b) {
  long size = 0, other_size = 0;
  char *bytes = contents(a, &size), *other = contents(b, &other_size);
  CHECK(size == other_size && memcmp(bytes, other, (size_t)size) == 0);
  free(bytes);
  free(other);
}

int main(void) {
  xf_load_options options = XF_LOAD_OPTIONS;
  xf_model *first = NULL, *second = NULL;
  xf_error error;
  if (mkdtemp(folder) == NULL) return 1;
  look_at_handlers(host_handlers);
  CHECK(strcmp(xf_version(), "0.1.0") == 0);
  make_images();
  train_stop_and_resume();
  options.device = "cpu";
  options.threads = 2;
  options.batch = 2;
  REQUIRE_OK(xf_load(path("whole"), &options, &first, &error));
  options.threads = 1;
  options.precision = "f32";
  REQUIRE_OK(xf_load(path("whole"), &options, &second, &error));
  what_a_model_says(first);
  errors(first);
  threads(first, first);
  threads(first, second);
  same_files(path("whole/best.h5"), path("beside/best.h5"));
  signals_are_the_hosts();
  xf_free(first);
  xf_free(second);
  {
    char remove[300];
    snprintf(remove, sizeof remove, "rm -r '%s'", folder);
    CHECK(system(remove) == 0);
  }
  if (!failed) puts("1 passed, 0 failed: the C API");
  return failed;
}
