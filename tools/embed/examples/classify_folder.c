/* Classifies every image of a folder: usage: classify-folder RUN FOLDER
 * Prints a line an image: its path, the likeliest class, its probability. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xferrun.h>

static int fail(xf_status status, const xf_error* error) {
  fprintf(stderr, "classify-folder: %s\nclassify-folder: %s\n", error->what, error->remedy);
  return (int)status;
}

static int is_image(const char* name) {
  const char* end = strrchr(name, '.');
  return end != NULL && (strcmp(end, ".png") == 0 || strcmp(end, ".jpg") == 0 || strcmp(end, ".bmp") == 0);
}

int main(int argc, char** argv) {
  xf_load_options options = XF_LOAD_OPTIONS;
  xf_model* model = NULL;
  xf_error error;
  xf_status status = XF_OK;
  float* probabilities = NULL;
  const struct dirent* entry = NULL;
  DIR* folder = NULL;
  if (argc != 3) {
    fprintf(stderr, "usage: classify-folder RUN FOLDER\n");
    return XF_USAGE;
  }
  options.device = "cpu";
  options.threads = 1;
  status = xf_load(argv[1], &options, &model, &error);
  if (status != XF_OK) return fail(status, &error);
  folder = opendir(argv[2]);
  probabilities = malloc((size_t)xf_class_count(model) * sizeof *probabilities);
  if (folder == NULL || probabilities == NULL) {
    perror(argv[2]);
    return XF_NO_INPUT;
  }
  while ((entry = readdir(folder)) != NULL) {
    char path[4096];
    const char* one = path;
    int best = 0, i = 0;
    if (!is_image(entry->d_name)) continue;
    snprintf(path, sizeof path, "%s/%s", argv[2], entry->d_name);
    status = xf_classify_files(model, &one, 1, probabilities, &error);
    if (status != XF_OK) return fail(status, &error);
    for (i = 1; i < xf_class_count(model); ++i)
      if (probabilities[i] > probabilities[best]) best = i;
    printf("%s\t%s\t%.9g\n", path, xf_class_name(model, best), probabilities[best]);
  }
  closedir(folder);
  free(probabilities);
  xf_free(model);
  return 0;
}
