set -eu
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

# The tick: nothing is applied any more.
if gcloud scheduler jobs describe journeys-tick --location=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud scheduler jobs delete journeys-tick --location=europe-west1 --project=my-project
fi

# A subscription, and what it still holds.
if gcloud pubsub subscriptions describe journeys-landing --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-landing --project=my-project
fi

# A subscription, and what it still holds.
if gcloud pubsub subscriptions describe journeys-push --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-push --project=my-project
fi

# A subscription, and what it still holds.
if gcloud pubsub subscriptions describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-undelivered --project=my-project
fi

# A function.
if gcloud functions describe journeys-ingest --region=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud functions delete journeys-ingest --region=europe-west1 --project=my-project
fi

# A function.
if gcloud functions describe journeys-advance --region=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud functions delete journeys-advance --region=europe-west1 --project=my-project
fi

# A topic: who publishes here is refused from now on.
if gcloud pubsub topics describe journeys-events --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-events --project=my-project
fi

# A topic: who publishes here is refused from now on.
if gcloud pubsub topics describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-undelivered --project=my-project
fi

# A topic: who publishes here is refused from now on.
if gcloud pubsub topics describe journeys-effects --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-effects --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-landing@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-landing@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-ingest@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-push@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-push@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-advance@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-tick@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-tick@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, and what it was allowed.
if gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-build@my-project.iam.gserviceaccount.com \
    --project=my-project
fi
